// One login over the WebSocket: requests and their answers, pushes, heartbeats, and coming back after a loss.
// It knows the envelope of the protocol and nothing of what is said in it.

import { listOf, recordOf, textOf } from './wire.js'

const HEARTBEAT_MS = 10_000
const ANSWER_MS = 15_000
const DELAYS_MS = [300, 1000, 2000, 4000, 8000]
const STEADY_MS = 5_000 // a connection that lived this long starts the delays anew

const EXPIRED = [70001, 20002]
const KICKED = 1002

/** The server said no. */
export class Refusal extends Error {
  constructor(code, info) {
    super(typeof info === 'string' && info ? info : `The server refused (${code}).`)
    this.code = code
  }
}

/** There is no connection, or it broke before the answer came. */
export class Lost extends Error {}

/**
 * `sign(user)` answers a signature, or throws: a Refusal ends the session, anything else is a server that is away.
 * `hear` is told of `state(name, retryAt)`, `ready(fresh)`, `push(body)`, `over(reason, message)`.
 */
export class Session {
  #socket = null
  #waiting = new Map()
  #seq = Math.floor(Math.random() * 1e8)
  #instance = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  #ticket = null
  #signature = ''
  #attempts = 0
  #timer = 0
  #pulse = 0
  #hello = 0
  #heard = 0
  #over = false

  constructor(user, sdkAppId, sign, hear) {
    this.user = user
    this.clockOffset = 0
    this.open = false
    this.sdkAppId = sdkAppId
    this.sign = sign
    this.hear = hear
  }

  start() {
    clearTimeout(this.#timer)
    if (this.#over || this.#socket) return
    this.hear.state('connecting')
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const query = `sdkappid=${this.sdkAppId}&instanceid=${this.#instance}&random=${Math.random()}`
    const socket = (this.#socket = new WebSocket(`${scheme}://${location.host}/info?${query}`))
    socket.onopen = () => this.#opened(socket)
    socket.onmessage = ({ data }) => this.#frame(data)
    socket.onclose = () => this.#closed(socket)
  }

  /** Says goodbye and ends; nothing more is heard of it. */
  stop() {
    if (this.open) this.#post('im_open_status.wslogout', { wslogout_type: 0 })
    this.#end()
  }

  /** The server's time in Unix seconds. */
  now() {
    return Date.now() / 1000 + this.clockOffset
  }

  /** The body of the answer. Rejects with Refusal or Lost. */
  request(servcmd, body = {}, { signed = false } = {}) {
    if (!this.open) return Promise.reject(new Lost('There is no connection to the server.'))
    return this.#ask(servcmd, body, signed)
  }

  #ask(servcmd, body, signed = false) {
    return new Promise((resolve, reject) => {
      const seq = this.#post(servcmd, body, signed)
      const timer = setTimeout(() => {
        this.#waiting.delete(servcmd + seq)
        reject(new Lost('The server did not answer in time.'))
      }, ANSWER_MS)
      this.#waiting.set(servcmd + seq, { resolve, reject, timer })
    })
  }

  #post(servcmd, body, signed = false) {
    const seq = ++this.#seq
    const head = {
      ver: 'v4', platform: 7, websdkappid: 537048168, websdkversion: '1.7.3', sdkappid: this.sdkAppId, contenttype: 'json',
      reqtime: Math.floor(Date.now() / 1000), sdkability: 2, status_instid: this.#ticket?.instance ?? 0,
      ...(this.#ticket && !signed
        ? { a2: this.#ticket.a2, tinyid: this.#ticket.tinyId }
        : { identifier: this.user, usersig: this.#signature }),
      servcmd, seq,
    }
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ head, body }))
    return seq
  }

  async #opened(socket) {
    const openedAt = Date.now()
    this.#heard = openedAt
    this.#pulse = setInterval(() => this.#beat(), 1000)
    try {
      await this.#login()
    } catch (error) {
      if (socket !== this.#socket) return
      if (error instanceof Refusal && error.code !== KICKED) this.#finish('refused', error.message)
      else if (!this.#over) socket.close(4001)
      return
    }
    setTimeout(() => { if (socket === this.#socket) this.#attempts = 0 }, STEADY_MS)
  }

  /** With the ticket of before if there is one; a server that does not know it any more gets a new login. */
  async #login() {
    let fresh = !this.#ticket
    if (fresh) this.#signature = await this.sign(this.user)
    let answer
    try {
      answer = await this.#ask('im_open_status.wslogin', { State: 'Online' })
    } catch (error) {
      if (fresh || !(error instanceof Refusal) || !EXPIRED.includes(error.code)) throw error
      fresh = true
      this.#ticket = null
      this.#signature = await this.sign(this.user)
      answer = await this.#ask('im_open_status.wslogin', { State: 'Online' })
    }
    if (this.#over) return
    const a2 = fresh ? answer.A2Key : this.#ticket.a2
    this.#ticket = { a2, tinyId: answer.TinyId, instance: answer.InstId }
    this.clockOffset = Number.isFinite(answer.TimeStamp) ? answer.TimeStamp - Math.floor(Date.now() / 1000) : 0
    clearInterval(this.#hello)
    this.#hello = setInterval(() => this.request('im_open_status.wshello').catch(() => {}), (answer.HelloInterval > 0 ? answer.HelloInterval : 120) * 1000)
    this.open = true
    this.hear.state('online')
    this.hear.ready(fresh)
  }

  #beat() {
    if (Date.now() - this.#heard > HEARTBEAT_MS + ANSWER_MS) this.#socket?.close(4001)
    else if (Date.now() - this.#heard >= HEARTBEAT_MS) this.#post('heartbeat.alive', {})
  }

  #frame(data) {
    this.#heard = Date.now()
    let frame
    try {
      frame = JSON.parse(data)
    } catch {
      return
    }
    const head = recordOf(frame?.head)
    const body = recordOf(frame?.body)
    const key = textOf(head.servcmd) + textOf(head.seq)
    const waiting = this.#waiting.get(key)
    if (waiting) {
      this.#waiting.delete(key)
      clearTimeout(waiting.timer)
      this.#answered(body, waiting)
    } else if (Array.isArray(body.EventArray)) {
      this.#pushed(body)
    }
  }

  #answered(body, { resolve, reject }) {
    const code = body.ErrorCode ?? 0
    if (code === 0) return resolve(body)
    reject(new Refusal(code, body.ErrorInfo))
    if (code === KICKED) return this.#kicked()
    if (this.open && EXPIRED.includes(code)) this.#socket.close(4001) // the next login renews it
  }

  #pushed(body) {
    if (body.NeedAck === 1) this.#post('openim.ws_msg_push_ack', { SessionData: body.SessionData })
    if (body.EventArray.some((item) => listOf(item?.C2cNotifyMsgArray).some((notice) => notice?.KickoutMsgNotify))) return this.#kicked()
    this.hear.push(body)
  }

  #kicked() {
    if (this.#over) return
    if (this.open) this.#post('im_open_status.wslogout', { wslogout_type: 1 })
    this.#finish('kicked', '')
  }

  #finish(reason, message) {
    if (this.#over) return
    this.#end()
    this.hear.over(reason, message)
  }

  #end() {
    this.#over = true
    clearTimeout(this.#timer)
    const socket = this.#socket
    this.#drop()
    socket?.close(4000)
  }

  #closed(socket) {
    if (socket !== this.#socket) return
    this.#drop()
    const delay = DELAYS_MS[Math.min(this.#attempts++, DELAYS_MS.length - 1)] * (0.8 + 0.4 * Math.random())
    this.hear.state('waiting', Date.now() + delay)
    this.#timer = setTimeout(() => this.start(), delay)
  }

  #drop() {
    clearInterval(this.#pulse)
    clearInterval(this.#hello)
    this.#socket = null
    this.open = false
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject, timer } of waiting) {
      clearTimeout(timer)
      reject(new Lost('The connection was lost before the answer came.'))
    }
  }
}
