// Friends, groups, and the applications to both: what was asked, and what became of it.

import { listOf, nameFrom, textOf } from './wire.js'
import { short } from './words.js'

const WAITING_FOR_CONSENT = 30539
const ACCEPTED = 2
const REFUSED = 3
const REMOVED = 4
const DISMISSED = 5
const INVITED = 7

const NICK = 'Tag_Profile_IM_Nick'
const WORDING_BYTES = 256

const nickIn = (list, key) => {
  const field = listOf(list).find((one) => one?.Tag === NICK)
  return field && nameFrom(field[key])
}

const TOLD = 200 // notices remembered, so that none is told twice

const bytes = (text) => new TextEncoder().encode(text).length

export class People {
  #store
  #told = []

  constructor(store) {
    this.#store = store
    this.forget()
  }

  forget() {
    this.#told = []
    this.nicks = new Map()
    this.friends = new Set()
    /** What became of one's own requests: user → {state: waiting|accepted|refused|failed, why}. */
    this.asked = new Map()
    /** Requests of others: user → {wording}. */
    this.asking = new Map()
    /** Groups: id → {state: unknown|joined|out|waiting|refused|absent, why}. */
    this.groups = new Map()
  }

  /** After a new login the server may be another one: it says anew what was asked and who is where. */
  renew() {
    this.asked.clear()
    for (const [id, { state }] of this.groups) if (state !== 'joined') this.groups.delete(id)
  }

  async sync() {
    const { users, bots } = this.#store.state.setup
    await Promise.allSettled([this.learn([...users, ...bots]), this.#syncFriends(), this.#syncRequests(), this.#syncGroups()])
  }

  /** The nicks of users. */
  async learn(users) {
    if (!users.length) return
    const answer = await this.#ask('profile.portrait_get_all', {
      From_Account: this.#store.me,
      UserItem: users.slice(0, 100).map((user) => ({ To_Account: user, StandardSequence: 0, CustomSequence: 0 })),
    })
    for (const item of listOf(answer.UserProfileItem)) {
      const nick = nickIn(item.ProfileItem, 'Value')
      if (nick) this.nicks.set(item.To_Account, nick)
    }
  }

  takeProfile(change) {
    const nick = nickIn(change.ProfileList, 'ValueBytes')
    if (nick !== undefined) this.nicks.set(change.Profile_Account, nick)
  }

  // Friends

  async #syncFriends() {
    const friends = new Set()
    let start = 0
    for (let page = 0; page < 40; page++) {
      const answer = await this.#ask('sns.friend_get', {
        From_Account: this.#store.me, StartIndex: start, StandardSequence: 0, CustomSequence: 0,
      })
      for (const item of listOf(answer.UserDataItem)) friends.add(textOf(item.To_Account))
      if (answer.CompleteFlag !== 0) break
      start = answer.NextStartIndex
    }
    this.friends = friends
  }

  async #syncRequests() {
    const answer = await this.#ask('sns.pendency_get', {
      From_Account: this.#store.me, PendencyType: 'Pendency_Type_Both', StartTime: 0, MaxLimited: 100, LastSequence: 0,
    })
    this.asking.clear()
    const waiting = new Set()
    for (const item of listOf(answer.PendencyItem)) {
      if (item.Nick) this.nicks.set(item.To_Account, nameFrom(item.Nick))
      if (item.PendencyType === 'Pendency_Type_SendOut') waiting.add(item.To_Account)
      else this.asking.set(item.To_Account, { wording: textOf(item.AddWording) })
    }
    for (const user of waiting) this.asked.set(user, { state: 'waiting', why: '' })
    for (const [user, one] of this.asked) if (one.state === 'waiting' && !waiting.has(user)) this.asked.delete(user)
  }

  takeChange(change) {
    for (const user of listOf(change.FriendAdd_Account).map(textOf)) {
      const waited = this.asked.get(user)?.state === 'waiting'
      if (waited) this.#settled(user, 'accepted')
      if (!this.friends.has(user)) this.#tell(user, waited ? `${this.#store.nameOf(user)} accepted: you are friends now.` : 'You are friends now.', 'good')
      this.friends.add(user)
      this.asking.delete(user)
    }
    for (const user of listOf(change.FriendDel_Account).map(textOf)) {
      if (this.friends.delete(user)) this.#tell(user, 'You are not friends any more.')
      this.asked.delete(user)
    }
    for (const added of listOf(change.PendencyAdd)) {
      if (change.From_Account === this.#store.me) continue
      const user = textOf(added.PendencyAdd_Account)
      if (added.ProfileImNick) this.nicks.set(user, nameFrom(added.ProfileImNick))
      this.asking.set(user, { wording: textOf(added.AddWording) })
    }
    for (const user of listOf(change.FrienPencydDel_Account).map(textOf)) {
      this.asking.delete(user)
      // The word of a new friendship may come after this one.
      setTimeout(() => {
        if (this.asked.get(user)?.state !== 'waiting' || this.friends.has(user)) return
        this.#settled(user, 'refused')
        this.#tell(user, `${this.#store.nameOf(user)} refused your friend request.`, 'error')
      }, 500)
    }
  }

  #settled(user, state) {
    this.asked.set(user, { state, why: '' })
    this.#store.changed()
  }

  /** A sentence in the conversation with `user`; where that is not open, also over the page. */
  #tell(user, sentence, kind = 'info') {
    const chat = this.#store.chats.get('C2C', user)
    this.#store.chats.tell(chat, sentence)
    if (chat === this.#store.chats.current) this.#store.say(sentence)
    else this.#store.toast(`${this.#store.nameOf(user)}: ${sentence}`, kind)
  }

  async addFriend(user, wording) {
    if (bytes(wording) > WORDING_BYTES) return this.#store.toast(`At most ${WORDING_BYTES} bytes, please.`, 'error')
    this.asked.set(user, { state: 'waiting', why: '' })
    this.#store.chats.tell(this.#store.chats.get('C2C', user), `You asked ${this.#store.nameOf(user)} to be friends${wording ? `: “${short(wording)}”` : '.'}`)
    try {
      const answer = await this.#ask('sns.friend_add', {
        From_Account: this.#store.me, AddType: 'Add_Type_Both',
        AddFriendItem: [{ To_Account: user, AddSource: 'AddSource_Type_Web', AddWording: wording }],
      })
      const { ResultCode = 0, ResultInfo = '' } = answer.ResultItem?.[0] ?? {}
      if (ResultCode === 0) this.takeChange({ FriendAdd_Account: [user] })
      else if (ResultCode !== WAITING_FOR_CONSENT) throw new Error(textOf(ResultInfo) || `The server refused (${ResultCode}).`)
    } catch (error) {
      this.asked.set(user, { state: 'failed', why: error.message })
      this.#tell(user, `The request was not sent: ${error.message}`, 'error')
    }
    return this.#store.changed()
  }

  async answer(user, agree) {
    try {
      await this.#ask('sns.friend_response', {
        From_Account: this.#store.me,
        ResponseFriendItem: [{ To_Account: user, ResponseAction: agree ? 'Response_Action_AgreeAndAdd' : 'Response_Action_Reject' }],
      })
      this.asking.delete(user)
    } catch (error) {
      this.#store.toast(error.message, 'error')
    }
    this.#store.changed()
  }

  // Groups

  async #syncGroups() {
    const answer = await this.#ask('group_open_http_svc.get_joined_group_list', {
      Member_Account: this.#store.me, Limit: 50, Offset: 0,
      ResponseFilter: { GroupBaseInfoFilter: ['Type', 'Name', 'NextMsgSeq', 'MemberNum'], SelfInfoFilter: ['Role', 'JoinTime', 'MsgFlag'] },
    })
    const joined = new Set()
    for (const group of listOf(answer.GroupIdList)) {
      joined.add(group.GroupId)
      this.#joined(group.GroupId, group.Name)
    }
    for (const [id, group] of this.groups) if (group.state === 'joined' && !joined.has(id)) group.state = 'out'
    const demo = this.#store.state.setup.group
    if (demo && !joined.has(demo)) await this.#lookAt(demo)
  }

  #joined(id, name) {
    this.groups.set(id, { state: 'joined', why: '' })
    const chat = this.#store.chats.get('GROUP', id)
    chat.name = nameFrom(name) || chat.name
    if (chat === this.#store.chats.current && !chat.loaded) this.#store.chats.open(chat)
  }

  async #lookAt(id) {
    const answer = await this.#ask('group_open_http_svc.get_group_public_info', {
      GroupIdList: [id], ResponseFilter: { GroupBasePublicInfoFilter: ['Type', 'Name', 'Introduction', 'MemberNum', 'ApplyJoinOption'] },
    })
    const group = answer.GroupInfo?.[0]
    const there = group && (group.ErrorCode ?? 0) === 0
    const before = this.groups.get(id)
    if (there) this.#store.chats.get('GROUP', id).name = nameFrom(group.Name)
    if (!there) this.groups.set(id, { state: 'absent', why: '' })
    else if (!before || ['unknown', 'absent'].includes(before.state)) this.groups.set(id, { state: 'out', why: '' })
  }

  async join(id, wording) {
    if (bytes(wording) > WORDING_BYTES) return this.#store.toast(`At most ${WORDING_BYTES} bytes, please.`, 'error')
    const before = this.groups.get(id)
    this.groups.set(id, { state: 'waiting', why: '' })
    this.#store.changed()
    try {
      const answer = await this.#ask('group_open_http_svc.apply_join_group', { GroupId: id, ApplyMsg: wording, WebPushFlag: 1 })
      if (answer.JoinedStatus === 'JoinedSuccess') this.#joined(id)
    } catch (error) {
      this.groups.set(id, { state: 'out', ...before })
      this.#store.toast(`Not sent. ${error.message}`, 'error')
    }
    return this.#store.changed()
  }

  /** A word of the system about a group; each is told once, although the list of what was missed may hold it again. */
  takeSystemNotice(wire) {
    const kind = wire.MsgBody?.ReportType
    if (this.#wasTold(wire)) return this.#dismiss(wire)
    const remark = textOf(wire.MsgBody?.RemarkInfo)
    const id = textOf(wire.GroupInfo?.GroupId ?? wire.ToGroupId)
    const name = short(wire.GroupInfo?.GroupName || id)
    if (kind === ACCEPTED || kind === INVITED) {
      this.#joined(id, wire.GroupInfo?.GroupName)
      this.#tellGroup(id, `${kind === ACCEPTED ? 'You were let in' : 'You were invited'}${remark ? `: ${short(remark)}` : '.'}`, remark, 'good')
    } else if (kind === REFUSED) {
      if (this.groups.get(id)?.state !== 'joined') this.groups.set(id, { state: 'refused', why: remark })
      if (id !== this.#here()) this.#store.toast(`“${name}” refused.${remark ? ` ${short(remark)}` : ''}`, 'error')
    } else if (kind === REMOVED || kind === DISMISSED) {
      this.groups.set(id, { state: kind === REMOVED ? 'out' : 'absent', why: '' })
      this.#store.toast(kind === REMOVED ? `You were removed from “${name}”.` : `“${name}” was dismissed.`)
    }
    this.#dismiss(wire)
    return this.#store.changed()
  }

  #wasTold({ ClientSeq, MsgRandom, ToGroupId, MsgBody }) {
    const mark = [ClientSeq, MsgRandom, textOf(ToGroupId), MsgBody?.ReportType].map((part) => (typeof part === 'object' ? '' : part)).join('\n')
    if (!Number.isInteger(MsgRandom)) return false // it has nothing to be known by
    if (this.#told.includes(mark)) return true
    this.#told = [...this.#told.slice(1 - TOLD), mark]
    return false
  }

  /** The group that is open. */
  #here() {
    const { current } = this.#store.chats
    return current?.type === 'GROUP' ? current.peer : ''
  }

  /** What the group says with it stands in the group; that one was let in is a tip there already. */
  #tellGroup(id, sentence, remark, kind) {
    const chat = this.#store.chats.get('GROUP', id)
    if (remark) this.#store.chats.tell(chat, sentence)
    if (id !== this.#here()) this.#store.toast(`${this.#store.chats.nameOf(chat)}: ${sentence}`, kind)
  }

  /** Or the server would repeat it at every login. Applications to decide stay. */
  #dismiss(wire) {
    if ([1, 12].includes(wire.MsgBody?.ReportType)) return
    this.#ask('openim.deletemsg', {
      DelMsgList: [{ From_Account: '@TIM#SYSTEM', To_Account: this.#store.me, MsgSeq: wire.ClientSeq, MsgRandom: wire.MsgRandom }],
    }).catch(() => {})
  }

  #ask(servcmd, body) {
    return this.#store.session.request(servcmd, body)
  }
}
