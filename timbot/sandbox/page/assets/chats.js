// Conversations and their messages: listed, read, sent, recalled, caught up with after a break.

import { contactsAt, history, membersOf, missed, reading, recalling, sending } from './requests.js'
import { Lost } from './session.js'
import { add, find, merge, order, trim } from './timeline.js'
import { line, mentioned } from './words.js'
import {
  c2cId, c2cMessage, counter, custom, draft, elementsOf, groupId, groupMessage, listOf, nameFrom, numberOf, recordOf, remark, text, textOf, timeFrom,
} from './wire.js'

const PAGE = 20
const PAGES = 500 // read at once at most, where what they hold is here already
const PAUSE_MS = 300 // between two receipts, and two looks at the members of a group
export const RECALL_SECONDS = 120
export const TEXT_BYTES = 12 * 1024 - 200

const conversation = (type, peer, name = '') => ({
  id: type === 'C2C' ? c2cId(peer) : groupId(peer),
  type, peer, name, unread: 0, time: 0, last: '', peerRead: 0, messages: [], loaded: false, loading: false, complete: false, cursor: '', until: 0,
  trouble: '', draft: '', members: [], away: false, reported: 0, had: false,
})

export class Chats {
  #number = counter()
  #store
  #cookie = ''

  constructor(store) {
    this.#store = store
    this.forget()
  }

  forget() {
    for (const chat of this.all?.values() ?? []) for (const message of chat.messages) message.release?.()
    this.all = new Map()
    this.current = null
    this.#cookie = ''
  }

  /** What is there before anybody has said anything: the bots, the group, the others. */
  furnish() {
    const { bots, users, group } = this.#store.state.setup
    for (const bot of bots) this.get('C2C', bot)
    if (group) this.get('GROUP', group)
    for (const user of users) if (user !== this.#store.me) this.get('C2C', user)
  }

  /** After a new login the server may be another one; only what was not sent is kept. */
  renew() {
    for (const chat of this.all.values()) {
      const kept = chat.messages.filter((message) => message.state !== 'sent')
      for (const message of chat.messages) if (!kept.includes(message)) message.release?.()
      chat.had = chat.messages.some((message) => message.state === 'sent' && !message.note)
      chat.messages = kept
      Object.assign(chat, { loaded: false, loading: false, complete: false, cursor: '', until: 0, unread: 0, time: 0, last: '', peerRead: 0, reported: 0 })
    }
    this.#cookie = ''
  }

  /** Says so where a server that was started anew has forgotten what was said. */
  tellLoss() {
    const lost = [...this.all.values()].filter((chat) => chat.had && (chat.loaded || !this.canSpeak(chat)) && !chat.messages.some((one) => one.state === 'sent'))
    for (const chat of this.all.values()) chat.had = false
    for (const chat of lost) this.tell(chat, 'The server was started anew. What was said here before is gone.')
    if (lost.length) this.#store.toast('The server was started anew and has forgotten what was before: messages, friends, groups.')
  }

  /** A sentence of the page's own among the messages. */
  tell(chat, sentence) {
    add(chat, remark(sentence, this.#store.session.now()))
    this.#store.changed()
  }

  get(type, peer) {
    const id = type === 'C2C' ? c2cId(peer) : groupId(peer)
    let chat = this.all.get(id)
    if (!chat) this.all.set(id, (chat = conversation(type, peer)))
    return chat
  }

  /** As the list shows them: the bots first, then by time. */
  listed() {
    const { bots } = this.#store.state.setup
    const rank = ({ type, peer }) => (type === 'C2C' && bots.includes(peer) ? 0 : 1)
    return [...this.all.values()].sort((a, b) => rank(a) - rank(b) || b.time - a.time)
  }

  get unread() {
    return [...this.all.values()].reduce((sum, chat) => sum + chat.unread, 0)
  }

  nameOf(chat) {
    return chat.type === 'C2C' ? this.#store.nameOf(chat.peer) : chat.name || chat.peer
  }

  /** Whether one may speak there. */
  canSpeak(chat) {
    return chat.type === 'C2C' || this.#store.people.groups.get(chat.peer)?.state === 'joined'
  }

  /** The bot among the members of a group. */
  botIn(chat) {
    return this.#store.state.setup.bots.find((bot) => chat.members.some(({ user }) => user === bot))
  }

  open(chat) {
    this.current = chat
    this.#store.set({ pane: 'chat' })
    if (!chat.loaded) this.load(chat)
    if (chat.type === 'GROUP' && this.canSpeak(chat)) this.loadMembers(chat)
    this.markRead(chat)
  }

  // Catching up

  async sync() {
    await this.#list()
    await this.catchUp()
    const seen = [...this.all.values()].filter((chat) => chat.messages.length || chat.had || chat === this.current)
    await Promise.allSettled(seen.map((chat) => this.load(chat)))
    if (this.current?.type === 'GROUP') this.loadMembers(this.current)
  }

  async #list() {
    let position = { TimeStamp: 0, StartIndex: 0, TopTimeStamp: 0, TopStartIndex: 0 }
    for (let page = 0; page < 20; page++) {
      const answer = await this.#ask(contactsAt(this.#store.me, position))
      for (const item of listOf(answer.SessionItem)) this.#store.tried(() => this.#listed(item))
      if (answer.CompleteFlag === 1) return
      position = { TimeStamp: answer.TimeStamp, StartIndex: answer.StartIndex, TopTimeStamp: 0, TopStartIndex: 0 }
    }
  }

  #listed(item) {
    const group = item.Type === 2
    const chat = this.get(group ? 'GROUP' : 'C2C', textOf(group ? item.ToAccount : item.To_Account))
    const nick = nameFrom(group ? item.GroupNick : item.C2cNick)
    if (group) chat.name = nick || chat.name
    else if (nick) this.#store.people.nicks.set(chat.peer, nick)
    chat.unread = chat === this.current && !document.hidden ? 0 : numberOf(item.UnreadMsgCount)
    chat.peerRead = Math.max(chat.peerRead, numberOf(item.C2cPeerReadTime))
    chat.time = timeFrom(item.MsgTimeStamp)
    const from = textOf(group ? item.MsgGroupFrom_Account : item.LastC2CMsgFrom_Account)
    const body = item.LastMsg?.MsgBody
    const tip = body && !Array.isArray(body) ? recordOf(body) : null
    const elements = elementsOf(body)
    const recalled = item.LastMsgFlags === (group ? 2 : 8)
    if (tip || elements.length) chat.last = this.#line({ from, mine: from === this.#store.me, nick: '', recalled, tip, elements }, chat)
  }

  /** Reads what was missed, and dismisses the notices in it once they are told. */
  async catchUp() {
    for (let page = 0; page < 100; page++) {
      const answer = await this.#ask(missed(this.#cookie, page > 0))
      this.#cookie = answer.Cookie
      for (const wire of listOf(answer.MsgList)) this.#store.tried(() => this.takeC2c(wire, false))
      for (const item of listOf(answer.EventArray)) this.#store.take(recordOf(item))
      if (answer.SyncFlag === 2) return
    }
  }

  /** The newest page, put among what is here: nothing twice, nothing lost. */
  async load(chat) {
    if (chat.loading || !this.canSpeak(chat)) return
    Object.assign(chat, { loading: true, trouble: '' })
    this.#store.changed()
    try {
      const older = chat.loaded ? { complete: chat.complete, cursor: chat.cursor, until: chat.until } : null
      const page = await this.#page(chat, '')
      merge(chat, page.messages)
      // The place where older pages go on stays where it was, unless the gap is wider than a page.
      const known = older && page.messages.some((message) => message.known)
      Object.assign(chat, { loaded: true, ...(known || (older && !page.messages.length) ? older : page.place) })
    } catch (error) {
      chat.trouble = error.message
    }
    chat.loading = false
    if (chat === this.current) this.markRead(chat)
    this.#store.changed()
  }

  async loadOlder(chat) {
    if (chat.loading || chat.complete) return
    chat.loading = true
    this.#store.changed()
    try {
      let older = []
      for (let count = 0; count < PAGES && !older.length && !chat.complete; count++) {
        const page = await this.#page(chat, chat.cursor)
        older = page.messages.filter((message) => !find(chat, message))
        Object.assign(chat, page.place)
      }
      chat.messages = [...older, ...chat.messages]
    } catch (error) {
      this.#store.toast(error.message, 'error')
    }
    chat.loading = false
    this.#store.changed()
  }

  async #page(chat, cursor) {
    const me = this.#store.me
    const answer = await this.#ask(history(chat, cursor, PAGE))
    const read = (list, take) => listOf(list).map((wire) => this.#store.tried(() => take(wire, me)[1])).filter(Boolean)
    if (chat.type === 'C2C') {
      const place = { complete: answer.Complete === 1, cursor: textOf(answer.MsgKey), until: 0 }
      return { messages: read(answer.MsgList, c2cMessage), place }
    }
    const listed = listOf(answer.RspMsgList)
    const lowest = Math.min(...listed.map((wire) => numberOf(wire?.MsgSeq)))
    const place = { complete: !listed.length || lowest <= 1 || answer.IsFinished !== 0, cursor: String(lowest - 1), until: 0 }
    return { messages: read(answer.RspMsgList, groupMessage).reverse(), place }
  }

  // What the server tells

  takeC2c(wire, live) {
    const [peer, message] = c2cMessage(wire, this.#store.me)
    if (!message.mine && message.nick) this.#store.people.nicks.set(peer, message.nick)
    this.#arrived(this.get('C2C', peer), message, live)
  }

  takeGroup(wire, live, event) {
    const [group, message] = groupMessage(wire, this.#store.me, event)
    if (!message) return
    const chat = this.get('GROUP', group)
    chat.name = nameFrom(wire.GroupInfo?.GroupName) || chat.name
    if (message.nick && !message.tip) this.#store.people.nicks.set(message.from, message.nick)
    if (message.tip && this.canSpeak(chat)) this.loadMembers(chat)
    this.#arrived(chat, message, live)
  }

  #arrived(chat, message, live) {
    if (find(chat, message)) return
    add(chat, message)
    trim(chat)
    this.#note(chat, message)
    if (!live || message.mine || message.tip) return
    const seen = chat === this.current && !document.hidden
    if (seen) this.markRead(chat)
    else chat.unread += 1
    this.#store.say(`${this.#store.nameOf(message.from, message.nick)}: ${line(message, (user, nick) => this.#store.nameOf(user, nick))}`)
  }

  takeNotice(notice) {
    for (const gone of listOf(notice.WithdrawC2cMsgNotify?.C2cWithdrawInfoArray)) {
      const peer = gone.From_Account === this.#store.me ? gone.To_Account : gone.From_Account
      const chat = this.all.get(c2cId(peer))
      const found = chat?.messages.find((message) => message.seq === gone.MsgSeq && message.random === gone.MsgRandom)
      if (found) this.#recalled(chat, found)
    }
    const receipt = notice.C2cReadedReceipt
    if (receipt) {
      const chat = this.get('C2C', textOf(receipt.To_Account))
      chat.peerRead = Math.max(chat.peerRead, ...listOf(receipt.UinPairReadArray).map((pair) => numberOf(pair.LastReadTime)))
    }
  }

  takeRecalls(array) {
    for (const gone of array) {
      const chat = this.all.get(groupId(gone.GroupId))
      const found = chat?.messages.find((message) => message.state === 'sent' && message.seq === gone.MsgSeq)
      if (found) this.#recalled(chat, found)
    }
  }

  #recalled(chat, message) {
    message.recalled = true
    if (chat.messages.at(-1) === message) this.#note(chat, message)
  }

  #note(chat, message) {
    chat.time = Math.max(chat.time, message.time)
    chat.last = this.#line(message, chat)
  }

  #line(message, chat) {
    const said = line(message, (user, nick) => this.#store.nameOf(user, nick))
    if (message.tip || message.recalled || (chat.type === 'C2C' && !message.mine)) return said
    return `${message.mine ? 'You' : this.#store.nameOf(message.from, message.nick)}: ${said}`
  }

  // What a person does

  /** Tells the server how far was read: at once, and then every now and then, however many messages come. */
  async markRead(chat) {
    if (document.hidden || !this.canSpeak(chat)) return
    const had = chat.unread
    chat.unread = 0
    this.#store.changed()
    const last = chat.messages.findLast((message) => (chat.type === 'C2C' ? !message.mine : true) && message.state === 'sent' && !message.note)
    if (!last || chat.reporting || (!had && chat.reported === last.uid)) return
    chat.reported = last.uid
    chat.reporting = true
    await this.#ask(reading(chat, last)).catch(() => { chat.reported = 0 }) // told again with the next one
    setTimeout(() => {
      chat.reporting = false
      if (chat.reported && chat === this.current) this.markRead(chat)
    }, PAUSE_MS)
  }

  sendText(chat, words) {
    const mentions = chat.type === 'GROUP' ? mentioned(words, chat.members) : []
    this.send(chat, text(words), mentions)
  }

  rollDice(chat) {
    this.send(chat, custom('dice'))
  }

  send(chat, elements, mentions = []) {
    const message = draft(this.#store.me, this.#number(), this.#store.session.now(), elements, mentions)
    chat.messages.push(message)
    this.#note(chat, message)
    return this.#post(chat, message)
  }

  /** A message that has something to do first: `prepare(message)` before each attempt, `release()` if it is given up. */
  sendPrepared(chat, elements, { prepare, release }) {
    const message = { ...draft(this.#store.me, this.#number(), this.#store.session.now(), elements), prepare, release }
    chat.messages.push(message)
    this.#note(chat, message)
    return this.#post(chat, message)
  }

  /** The same message again, under the same numbers: a server that has it already knows it by them. */
  retry(chat, message) {
    chat.messages = [...chat.messages.filter((other) => other !== message), message]
    return this.#post(chat, message)
  }

  discard(chat, message) {
    message.release?.()
    chat.messages = chat.messages.filter((other) => other !== message)
    this.#store.changed()
  }

  async #post(chat, message) {
    Object.assign(message, { state: 'sending', why: '' })
    this.#store.changed()
    try {
      if (message.prepare) await message.prepare(message)
      message.clientSeq ??= message.seq
      const answer = await this.#ask(sending(this.#store.me, chat, message))
      if (answer.MsgDropReason) throw new Error('The server took too many messages at once and dropped this one.')
      Object.assign(message, { state: 'sent', time: answer.MsgTime ?? message.time })
      if (chat.type === 'GROUP') this.#sentToGroup(chat, message, answer)
    } catch (error) {
      if (message.state !== 'sent') Object.assign(message, { state: 'failed', why: error instanceof Lost ? 'Not sent: the server is away' : error.message })
    }
    this.#note(chat, message)
    this.#store.changed()
  }

  #sentToGroup(chat, message, answer) {
    message.seq = answer.MsgSeq
    chat.messages = chat.messages.filter((other) => other === message || other.seq !== message.seq)
    order(chat)
  }

  /** Whether one may still recall it. */
  canRecall(message) {
    return message.mine && message.state === 'sent' && !message.recalled && this.#store.session.now() - message.time < RECALL_SECONDS
  }

  async recall(chat, message) {
    try {
      const answer = await this.#ask(recalling(this.#store.me, chat, message))
      const code = answer.RecallRetList?.[0]?.RetCode ?? 0
      if (code) throw new Error(code === 10031 ? 'It is too late to recall this message.' : `The server refused (${code}).`)
      this.#recalled(chat, message)
    } catch (error) {
      this.#store.toast(`Not recalled. ${error.message}`, 'error')
    }
    this.#store.changed()
  }

  /** Who is in a group; asked once for many tips. */
  loadMembers(chat) {
    if (chat.asking) return
    chat.asking = true
    setTimeout(() => {
      chat.asking = false
      this.#loadMembers(chat)
    }, chat.members.length ? PAUSE_MS : 0)
  }

  async #loadMembers(chat) {
    try {
      const answer = await this.#ask(membersOf(chat.peer))
      const users = listOf(answer.MemberList).map((member) => textOf(member?.Member_Account)).filter(Boolean)
      await this.#store.people.learn(users)
      chat.members = users.map((user) => ({ user, nick: this.#store.people.nicks.get(user) ?? '' }))
    } catch {
      return // names can still be typed
    }
    this.#store.changed()
  }

  #ask([servcmd, body]) {
    return this.#store.session.request(servcmd, body)
  }
}
