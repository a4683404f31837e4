'use strict'
// Drives unmodified TIM Web SDKs for the Python tests (sdk.py): one JSON object per line on stdin and stdout.
//
//   request  {"id", "seat", "call", "args": [...]}
//   answer   {"id", "ok": <plain>} | {"id", "error": {"code": <int>|null, "message"}}
//   event    {"seat", "event": <TIM.EVENT value | "driverWarning">, "data": <plain>}
//
// A `call` is a harness call (the keys of HARNESS below) or the name of any SDK method. What a method resolves with
// is answered without its {code: 0, data} envelope. In arguments, {"$message": "<ID>"} stands for the live Message of
// that ID and {"$file": {name, type, size}} for a chosen file. The driver ends when stdin closes.

const fs = require('node:fs')
const readline = require('node:readline')
const vm = require('node:vm')
const { Network, PretendUpload, openBrowser } = require('./browser.cjs')
const { errorFields, fromPlain, toPlain } = require('./plain.cjs')

const LEVELS = ['debug', 'log', 'info', 'warn', 'error', 'none']
const SILENT = 4 // the SDK's own "no logging"; the console below is silent too, this saves it the work
const SETTLED_MS = 1100 // a socket that closes within a second of opening is not retried by the SDK

const seats = new Map()
const scripts = new Map()

const emit = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

/** The compiled SDK, once per process however many seats run it. */
function load(module) {
  const file = require.resolve(module)
  if (!scripts.has(file)) scripts.set(file, new vm.Script(fs.readFileSync(file, 'utf8'), { filename: file }))
  return scripts.get(file)
}

function consoleFor(seat, level) {
  const from = LEVELS.indexOf(level)
  const write = (name) => (...words) => {
    if (LEVELS.indexOf(name) < from) return
    const text = words.map((word) => (typeof word === 'string' ? word : JSON.stringify(toPlain(word, () => {})))).join(' ')
    process.stderr.write(`[${seat}] ${name}: ${text}\n`)
  }
  const quiet = () => {}
  return { ...Object.fromEntries(LEVELS.slice(0, -1).map((name) => [name, write(name)])), time: quiet, timeEnd: quiet, trace: quiet, table: quiet }
}

class Seat {
  constructor(name, settings) {
    const { endpoint, rewrites = true, module, reachable = true, logLevel = 'none', upload = true, options = {} } = settings
    const seat = this
    this.name = name
    this.messages = new Map()
    this.keep = (message) => this.messages.set(message.ID, message)
    this.report = {
      warn: (kind, error) => this.emit('driverWarning', { kind, ...errorFields(error), stack: String(error?.stack ?? '') }),
      guard: (kind, action) => {
        try {
          return action()
        } catch (error) {
          return this.report.warn(kind, error)
        }
      },
    }
    this.network = new Network(endpoint, rewrites, reachable, this.report)
    this.browser = openBrowser(this.network, this.report, consoleFor(name, logLevel))
    load(module).runInContext(this.browser.realm)
    this.TIM = this.browser.realm.module.exports
    this.tim = this.TIM.create(this.arguments([options])[0])
    if (logLevel === 'none') this.tim.setLogLevel(SILENT)
    if (upload) this.tim.registerPlugin({ 'tim-upload-plugin': PretendUpload })
    for (const event of Object.values(this.TIM.EVENT)) this.tim.on(event, function onEvent({ data }) { seat.emit(event, data) })
  }

  arguments(args) {
    return fromPlain(args, this.browser.parse, this.messages)
  }

  emit(event, data) {
    emit({ seat: this.name, event, data: toPlain(data, this.keep) ?? null })
  }

  /** Any SDK method. A Message or other value that is not an {code, data} envelope is answered as it is. */
  async call(method, args) {
    if (typeof this.tim[method] !== 'function') throw new Error(`SDK ${this.TIM.VERSION} has no method '${method}'`)
    const result = await this.tim[method](...this.arguments(args))
    const enveloped = result !== null && typeof result === 'object' && 'code' in result && 'data' in result
    return toPlain(enveloped ? result.data : result, this.keep)
  }

  async send({ kind, options, sendOptions }) {
    const message = await this.call(`create${kind}Message`, [options])
    const args = [{ $message: message.ID }, ...(sendOptions ? [sendOptions] : [])]
    return (await this.call('sendMessage', args)).message
  }

  /** Waits until the SDK takes the loss of its socket for a lost network, and not for a server that turned it away. */
  async settled() {
    for (const socket of this.network.sockets) {
      const left = socket.openedAt + SETTLED_MS - Date.now()
      if (socket.openedAt && left > 0) await new Promise((resolve) => setTimeout(resolve, left))
    }
  }

  async cut({ refuse = false, atOnce = false } = {}) {
    if (!atOnce) await this.settled()
    this.network.refusing = refuse
    return this.network.cut()
  }

  async offline(on) {
    this.network.reachable = !on
    if (on) return this.cut({ refuse: true }).finally(() => this.browser.online(false))
    await this.network.mend()
    return this.browser.online(true)
  }

  wire({ peek = false, last = Infinity } = {}) {
    const frames = this.network.frames
    if (!peek) this.network.frames = []
    return last < frames.length ? frames.slice(-last) : frames
  }

  close() {
    seats.delete(this.name)
    this.browser.close()
  }
}

/** What the tests can do to a seat besides calling its SDK. */
const HARNESS = {
  send: (seat, request) => seat.send(request),
  cut: (seat, how) => seat.cut(how),
  mend: (seat) => seat.network.mend(),
  probe: (seat, reachable) => { seat.network.reachable = reachable },
  offline: (seat, on) => seat.offline(on),
  wire: (seat, how) => seat.wire(how),
  drop: (seat) => seat.close(), // as when the tab is closed: no farewell
  async destroy(seat) {
    try {
      return await seat.call('destroy', [])
    } finally {
      seat.close()
    }
  },
}

function create(name, settings) {
  if (seats.has(name)) throw new Error(`seat '${name}' exists already`)
  const seat = new Seat(name, settings)
  seats.set(name, seat)
  return { version: seat.TIM.VERSION, module: settings.module }
}

async function perform({ seat: name, call, args = [] }) {
  if (call === 'create') return create(name, ...args)
  const seat = seats.get(name)
  if (!seat) throw new Error(`there is no seat '${name}'`)
  return Object.hasOwn(HARNESS, call) ? HARNESS[call](seat, ...args) : seat.call(call, args)
}

async function answer(line) {
  const { id, ...request } = JSON.parse(line)
  try {
    emit({ id, ok: (await perform(request)) ?? null })
  } catch (error) {
    emit({ id, error: errorFields(error) })
  }
}

/** A promise that nobody waits for says by its realm which seat it came from. */
function stray(kind, error, promise) {
  const seat = [...seats.values()].find(({ browser }) => promise instanceof browser.Promise)
  if (seat) seat.report.warn(kind, error)
  else emit({ seat: null, event: 'driverWarning', data: { kind, ...errorFields(error), stack: String(error?.stack ?? '') } })
}

process.on('unhandledRejection', (error, promise) => stray('unhandledRejection', error, promise))
process.on('uncaughtException', (error) => stray('uncaughtException', error, null))

readline.createInterface({ input: process.stdin, terminal: false })
  .on('line', (line) => { if (line) answer(line) })
  .on('close', () => {
    for (const seat of [...seats.values()]) seat.close()
    process.exit(0)
  })
