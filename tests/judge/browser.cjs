'use strict'
// A pretend browser for one seat: a realm of its own (vm context) with the globals the SDK looks for.
//
// A realm per seat gives every seat its own copy of the SDK: TIM.create() hands out one instance per SDKAppID and script,
// and the SDK's bundled polyfills write to the globals they find. The SDK's file runs in it byte for byte as shipped;
// only the world around it is ours. Nothing leaves the machine: sockets end at the seat's endpoint, HTTP ends here.

const vm = require('node:vm')
const zlib = require('node:zlib')
const WebSocket = require('ws')

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
const PROBE = /\/speed\.xml/
const STATISTICS = /tim_web_report|imopenstat/
const ERROR_TEXTS = /\/error-message\// // newer SDKs fetch the wording of their errors; they manage without
const FRAMES_KEPT = 20000
const REFUSAL_MS = 20 // what a refused connect costs; without it an SDK that retries at once would spin

/** A frame as text, whatever the dialect: text, UTF-8 bytes, or "COMP" and a gzip stream. */
function frameText(data, isBinary) {
  if (!isBinary) return data.toString('utf8')
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data)
  const packed = bytes.subarray(0, 4).toString('latin1') === 'COMP'
  try {
    return (packed ? zlib.gunzipSync(bytes.subarray(4)) : bytes).toString('utf8')
  } catch (error) {
    return `<${bytes.length} bytes that do not unpack: ${error.message}>`
  }
}

/** A copy of a view's or a buffer's bytes, also of one from another realm, which `instanceof` would not know. */
function bytesOf(data) {
  if (!ArrayBuffer.isView(data)) return Buffer.from(new Uint8Array(data))
  return Buffer.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}

/** Calls listeners the way a browser does: one that throws is reported and does not disturb the caller. */
function listeners(report) {
  const held = new Map()
  return {
    add: (type, listener) => held.set(type, (held.get(type) ?? new Set()).add(listener)),
    remove: (type, listener) => held.get(type)?.delete(listener),
    fire(target, type, fields = {}) {
      const event = { type, target, currentTarget: target, ...fields }
      const called = [target[`on${type}`], ...(held.get(type) ?? [])]
      for (const listener of called) {
        if (!listener) continue
        report.guard(type, () => (listener.handleEvent ?? listener).call(target, event))
      }
    },
  }
}

/** The seat's way out: where sockets lead, whether they may open, what the probe hears, and every frame seen. */
class Network {
  constructor(endpoint, rewrites, reachable, report) {
    this.endpoint = new URL(endpoint)
    this.rewrites = rewrites
    this.reachable = reachable
    this.refusing = false
    this.report = report
    this.sockets = new Set()
    this.opened = 0
    this.frames = []
  }

  note(dir, socket, data) {
    this.frames.push({ dir, socket, at: Date.now(), data })
    if (this.frames.length > FRAMES_KEPT) this.frames.splice(0, FRAMES_KEPT / 10)
  }

  /** Where the host is hard-wired in the SDK: keep path and query, put our scheme and host before them. */
  rewrite(url) {
    const wanted = new URL(url)
    if (!this.rewrites) {
      if (wanted.origin !== this.endpoint.origin) throw new Error(`a socket would leave the machine: ${url}`)
      return url
    }
    wanted.protocol = this.endpoint.protocol
    wanted.host = this.endpoint.host
    return wanted.href
  }

  /** All the HTTP there is: the probe and the statistics collector. Null: no answer. */
  http(url) {
    if (!this.reachable) return null
    if (PROBE.test(url) || STATISTICS.test(url)) return { status: 200, text: '' }
    if (ERROR_TEXTS.test(url)) return { status: 404, text: '' }
    this.report.warn('http', new Error(`a request went nowhere: ${url}`))
    return null
  }

  /** Ends the refusing. An attempt begun under it still fails, and is waited for: what comes after meets an open network. */
  async mend() {
    this.refusing = false
    while ([...this.sockets].some((socket) => socket.doomed)) await new Promise((resolve) => setTimeout(resolve, 1))
  }

  cut() {
    const open = [...this.sockets]
    for (const socket of open) socket.break()
    return open.length
  }
}

/** The browser's WebSocket over `ws`: same states, events and close codes, as far as an SDK can tell. */
function socketClass(network, report, toRealm) {
  return class BrowserWebSocket {
    static CONNECTING = 0
    static OPEN = 1
    static CLOSING = 2
    static CLOSED = 3
    #events = listeners(report)
    #wire = null
    #number = ++network.opened

    constructor(url, protocols) {
      this.url = String(url)
      this.binaryType = 'blob'
      this.openedAt = 0
      this.readyState = 0
      this.onopen = this.onmessage = this.onclose = this.onerror = null
      network.sockets.add(this)
      network.note('connect', this.#number, this.url)
      this.doomed = network.refusing
      if (this.doomed) setTimeout(() => this.#fail(new Error('refused by the test')), REFUSAL_MS)
      else this.#connect(network.rewrite(url), protocols)
    }

    #connect(url, protocols) {
      const wire = (this.#wire = new WebSocket(url, protocols ?? []))
      wire.on('open', () => {
        this.readyState = 1
        this.openedAt = Date.now()
        network.note('open', this.#number, url)
        this.#events.fire(this, 'open')
      })
      wire.on('message', (data, isBinary) => {
        network.note('in', this.#number, frameText(data, isBinary))
        this.#events.fire(this, 'message', { data: isBinary ? toRealm(data, this.binaryType) : data.toString('utf8') })
      })
      wire.on('error', (error) => {
        this.#events.fire(this, 'error', { errMsg: error.message, message: error.message })
      })
      wire.on('close', (code, reason) => this.#closed(code, reason.toString('utf8')))
    }

    #fail(error) {
      if (this.readyState === 3) return
      this.#events.fire(this, 'error', { errMsg: error.message, message: error.message })
      this.#closed(1006, '')
    }

    #closed(code, reason) {
      if (this.readyState === 3) return
      this.readyState = 3
      network.sockets.delete(this)
      network.note('close', this.#number, `${code} ${reason}`.trim())
      this.#events.fire(this, 'close', { code, reason, wasClean: code !== 1006 })
    }

    /** As when the cable is pulled: no close frame, 1006 on our side, a reset or nothing on the other. */
    break() {
      if (this.#wire) this.#wire.terminate()
      else this.#fail(new Error('cut by the test'))
    }

    send(data) {
      if (this.readyState === 0) throw new Error("Failed to execute 'send' on 'WebSocket': Still in CONNECTING state.")
      if (this.readyState !== 1) return // a browser drops it silently
      const text = typeof data === 'string'
      const bytes = text ? data : bytesOf(data)
      network.note('out', this.#number, text ? data : frameText(bytes, true))
      this.#wire.send(bytes, { binary: !text })
    }

    close(code, reason) {
      if (this.readyState >= 2) return
      this.readyState = 2
      if (this.#wire) this.#wire.close(code, reason)
      else this.#closed(1006, '')
    }

    get bufferedAmount() { return this.#wire?.bufferedAmount ?? 0 }
    addEventListener(type, listener) { this.#events.add(type, listener) }
    removeEventListener(type, listener) { this.#events.remove(type, listener) }
  }
}

/** Just enough XMLHttpRequest to ask for the probe and to post statistics. */
function requestClass(network, report) {
  return class BrowserXMLHttpRequest {
    #events = listeners(report)
    #url = ''
    #aborted = false
    readyState = 0
    status = 0
    responseText = ''
    response = ''
    open(method, url) { this.#url = String(url); this.readyState = 1 }
    setRequestHeader() {}
    getAllResponseHeaders() { return '' }
    abort() { this.#aborted = true }
    send() {
      setImmediate(() => {
        if (this.#aborted) return
        const answer = network.http(this.#url)
        this.readyState = 4
        this.status = answer?.status ?? 0
        this.#events.fire(this, 'readystatechange')
        this.#events.fire(this, answer ? 'load' : 'error')
      })
    }
    addEventListener(type, listener) { this.#events.add(type, listener) }
    removeEventListener(type, listener) { this.#events.remove(type, listener) }
  }
}

function fetchFunction(network) {
  return async (url) => {
    const answer = network.http(String(url?.url ?? url))
    if (!answer) throw new TypeError('Failed to fetch')
    const { status, text } = answer
    return { ok: status === 200, status, text: async () => text, json: async () => JSON.parse(text || '{}') }
  }
}

/** Timers that die with the seat, count in numbers as a browser's do, and survive a callback that throws. */
function timers(report) {
  const held = new Map()
  let last = 0
  const start = (set, stop, once) => (callback, delay, ...args) => {
    const id = ++last
    const run = () => {
      if (once) held.delete(id)
      report.guard('timer', () => callback(...args))
    }
    const timer = set(run, delay)
    held.set(id, () => stop(timer))
    return id
  }
  const clear = (id) => {
    held.get(id)?.()
    held.delete(id)
  }
  return {
    globals: {
      setTimeout: start(setTimeout, clearTimeout, true),
      setInterval: start(setInterval, clearInterval, false),
      setImmediate: start((run) => setImmediate(run), clearImmediate, true),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    },
    clearAll: () => [...held.keys()].forEach(clear),
  }
}

class Storage {
  getItem(key) { return Object.hasOwn(this, key) ? this[key] : null }
  setItem(key, value) { this[key] = String(value) }
  removeItem(key) { delete this[key] }
  clear() { for (const key of Object.keys(this)) delete this[key] }
}

/** A file that was chosen in a page: the SDK asks only for its name, type, size and the tag of its class. */
class PretendFile {
  constructor({ name = 'file.bin', type = 'application/octet-stream', size = 1 }) {
    Object.assign(this, { name, type, size })
  }
  get [globalThis.Symbol.toStringTag]() { return 'File' }
}

/** Stands in for the vendor's upload plugin: every upload succeeds, at the address that the server signed. */
class PretendUpload {
  uploadFile(options, callback) {
    const location = options.downloadUrl ?? String(options.url ?? '').split('?')[0]
    setImmediate(() => callback(null, { statusCode: 200, data: { location } }))
  }
}

function imageClass(report) {
  return class Image {
    width = 640
    height = 480
    onload = null
    onerror = null
    set src(_url) { setImmediate(() => report.guard('image', () => this.onload?.call(this))) }
  }
}

const NODE_GLOBALS = ['TextEncoder', 'TextDecoder', 'URLSearchParams', 'AbortController', 'Blob', 'DecompressionStream',
  'atob', 'btoa', 'crypto', 'performance', 'queueMicrotask', 'structuredClone']

/** Makes the realm. `console` is the seat's log, `report` takes what the SDK throws where nobody catches. */
function openBrowser(network, report, console) {
  const clock = timers(report)
  const events = listeners(report)
  const realm = vm.createContext({
    ...Object.fromEntries(NODE_GLOBALS.map((name) => [name, globalThis[name]])),
    ...clock.globals,
    console,
    module: { exports: {} },
    navigator: { userAgent: AGENT, platform: 'Linux x86_64', language: 'en', onLine: true },
    location: { protocol: 'https:', host: 'judge.invalid', hostname: 'judge.invalid', href: 'https://judge.invalid/' },
    document: { characterSet: 'UTF-8', charset: 'UTF-8' }, // sendMessage measures a text in it
    localStorage: new Storage(),
    XMLHttpRequest: requestClass(network, report),
    fetch: fetchFunction(network),
    Image: imageClass(report),
    File: PretendFile,
    HTMLInputElement: class HTMLInputElement {},
    PromiseRejectionEvent: class PromiseRejectionEvent {}, // or the bundled polyfill replaces Promise
    addEventListener: events.add,
    removeEventListener: events.remove,
  })
  vm.runInContext('var window = this, self = this, exports = module.exports', realm)
  const copy = vm.runInContext('(bytes) => new Uint8Array(bytes).buffer', realm)
  const toRealm = (bytes, kind) => (kind === 'arraybuffer' ? copy(bytes) : new Blob([bytes]))
  realm.WebSocket = socketClass(network, report, toRealm)
  realm.URL = Object.assign(class extends URL {}, { createObjectURL: () => 'blob:judge', revokeObjectURL: () => {} })
  return {
    realm,
    Promise: vm.runInContext('Promise', realm),
    parse: vm.runInContext('JSON.parse', realm),
    online(state) {
      realm.navigator.onLine = state
      events.fire(realm, state ? 'online' : 'offline')
    },
    close() {
      clock.clearAll()
      for (const socket of network.sockets) socket.break()
    },
  }
}

module.exports = { Network, PretendFile, PretendUpload, openBrowser }
