// What the page knows, and what a person can do with it. Views read `store.state`, call the actions, and are drawn anew
// after `changed()`.

import { Chats } from './chats.js'
import { Feed } from './feed.js'
import { People } from './people.js'
import { Refusal, Session } from './session.js'
import { listOf, recordOf } from './wire.js'

const TOAST_MS = 6000
const SLOWEST_MS = 250 // between a change and its drawing, also in a tab that is not looked at
const ROOM_FOR_TWO = '(min-width: 720px)' // list and chat beside each other: the bot's is open from the start

export class Store {
  #draw
  #drawing = false
  #toasts = 0

  constructor(draw) {
    this.#draw = draw
    this.session = null
    this.state = {
      phase: 'loading', // loading | choose | in | kicked | refused | unreachable
      setup: { users: [], bots: [], group: '', sdkAppId: 0, botIsHere: false },
      user: '',
      why: '',
      busy: false, // until all that was there before is read after a login
      net: 'connecting', // connecting | online | waiting
      retryAt: 0,
      pane: 'list', // what a narrow screen shows: list | chat | panel
      dialog: null,
      toasts: [],
      spoken: '',
    }
    this.chats = new Chats(this)
    this.people = new People(this)
    this.feed = new Feed(() => this.changed())
  }

  /** Draws once for each picture on the screen, however much changes before. */
  changed() {
    if (this.#drawing) return
    this.#drawing = true
    const draw = () => {
      cancelAnimationFrame(frame)
      clearTimeout(timer)
      this.#drawing = false
      this.#draw()
    }
    const frame = requestAnimationFrame(draw)
    const timer = setTimeout(draw, SLOWEST_MS)
  }

  /** Takes in something of the server's. What makes no sense must not keep the rest out. */
  tried(take) {
    try {
      return take()
    } catch {
      this.toast('The server sent something that cannot be shown.', 'error')
      return undefined
    }
  }

  set(changes) {
    Object.assign(this.state, changes)
    this.changed()
  }

  /** Learns what there is, and goes in at once if the address says as whom: /#alice. */
  async load() {
    try {
      const answer = await fetch('/page/setup')
      if (!answer.ok) throw new Error(`The server answered ${answer.status}.`)
      this.state.setup = await answer.json()
    } catch {
      this.set({ phase: 'unreachable' })
      return
    }
    this.set({ phase: 'choose' })
    this.feed.follow()
    const named = this.namedInAddress()
    if (named) this.enter(named)
  }

  namedInAddress() {
    let name = location.hash.slice(1)
    try {
      name = decodeURIComponent(name)
    } catch {
      return ''
    }
    return this.state.setup.users.includes(name) ? name : ''
  }

  /** Logs in; whoever was logged in under this name is kicked out. */
  enter(user) {
    this.session?.stop()
    this.chats.forget()
    this.people.forget()
    const { sdkAppId } = this.state.setup
    const session = (this.session = new Session(user, sdkAppId, (name) => this.#sign(name), {
      state: (net, retryAt = 0) => session === this.session && this.set({ net, retryAt }),
      ready: (fresh) => session === this.session && this.#ready(fresh),
      push: (body) => session === this.session && this.#pushed(body),
      over: (reason, why) => session === this.session && this.set({ phase: reason, why, dialog: null }),
    }))
    history.replaceState(null, '', `#${encodeURIComponent(user)}`)
    this.set({ phase: 'in', user, why: '', pane: 'list', net: 'connecting', busy: true, dialog: null })
    this.chats.furnish()
    session.start()
  }

  leave() {
    const session = this.session
    this.session = null
    session?.stop()
    history.replaceState(null, '', location.pathname)
    this.chats.forget()
    this.people.forget()
    this.set({ phase: 'choose', user: '', dialog: null })
  }

  retryNow() {
    this.session?.start()
  }

  /** A short word about something that went wrong or right. What stands there already stays longer, and is not said twice. */
  toast(text, kind = 'info') {
    const there = this.state.toasts.find((one) => one.text === text && one.kind === kind)
    const toast = there ?? { id: ++this.#toasts, text, kind }
    if (!there) this.set({ toasts: [...this.state.toasts.slice(-3), toast] })
    clearTimeout(toast.timer)
    toast.timer = setTimeout(() => this.set({ toasts: this.state.toasts.filter((other) => other !== toast) }), TOAST_MS)
  }

  /** What a screen reader is to say. */
  say(text) {
    this.set({ spoken: text })
  }

  nameOf(user, nick = '') {
    return nick || this.people.nicks.get(user) || user
  }

  get me() {
    return this.state.user
  }

  async #sign(user) {
    const answer = await fetch('/page/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ user }),
    })
    const body = await answer.json().catch(() => ({}))
    if (answer.ok) return body.userSig
    throw new Refusal(answer.status, body.error)
  }

  async #ready(fresh) {
    if (fresh) {
      this.chats.renew()
      this.people.renew()
    }
    const { session } = this
    await this.people.sync() // first, since it says which groups may be read
    await this.chats.sync().catch(() => {}) // the connection was lost: all of it comes again with the next one
    if (session !== this.session) return
    if (session.open) this.chats.tellLoss()
    const bot = this.chats.all.get(`C2C${this.state.setup.bots[0]}`)
    if (bot && !this.chats.current && matchMedia(ROOM_FOR_TWO).matches) this.chats.open(bot)
    this.set({ busy: false })
  }

  #pushed(body) {
    if (body.Flag === 1) this.chats.catchUp().catch(() => {})
    for (const item of body.EventArray) this.take(recordOf(item))
    this.changed()
  }

  /** One item of a push, or of the list of what was missed. */
  take(item) {
    const each = (list, take) => listOf(list).forEach((one) => this.tried(() => take(one)))
    each(item.C2cMsgArray, (wire) => this.chats.takeC2c(wire, true))
    each(item.GroupMsgArray, (wire) => this.chats.takeGroup(wire, true))
    each(item.GroupTips, (wire) => this.#tips(item.Event, wire))
    each(item.C2cNotifyMsgArray, (notice) => this.chats.takeNotice(notice))
    each(item.FriendListMod, (change) => this.people.takeChange(change))
    each(item.ProfileDataMod, (change) => this.people.takeProfile(change))
  }

  #tips(event, wire) {
    const TIPS = [4, 6]
    const NOTICE = 5
    if (TIPS.includes(event)) return this.chats.takeGroup(wire, true, 4)
    if (event !== NOTICE) return undefined
    const body = recordOf(wire.MsgBody)
    if (body.GroupWithdrawInfoArray) return this.chats.takeRecalls(listOf(body.GroupWithdrawInfoArray))
    if (body.GroupReadInfoArray) return undefined
    return this.people.takeSystemNotice(wire)
  }
}
