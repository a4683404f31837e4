// From the wire to the page's own values, and back. A message here:
//   {uid, from, nick, mine, time, seq, random, elements: [{type, content}], state: sending|sent|failed, why,
//    recalled, tip: null|{...}, note: a sentence of the page's own, mentions: [user]}

let uids = 0
export const uid = () => ++uids

export const c2cId = (user) => `C2C${user}`
export const groupId = (group) => `GROUP${group}`

export const MENTION_ALL = '__kImSDK_MesssageAtALL__'
const RECALLED_C2C = 8
const PLACEHOLDER = 1
const RECALLED_IN_GROUP = 2
const TIP = 4

// Whatever a server sends, what goes on from here is a text, a number, a list or a record.

export const textOf = (value) => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '')
export const numberOf = (value) => (Number.isFinite(value) ? value : 0)
export const listOf = (value) => (Array.isArray(value) ? value : [])
export const recordOf = (value) => (value && typeof value === 'object' && !Array.isArray(value) ? value : {})

const LATEST = 8.64e12 // the last second a browser can put into words

export const timeFrom = (value) => (Number.isFinite(value) && value > 0 && value <= LATEST ? value : 0)

/** A name as it may stand in a sentence: one line, and without the signs that turn what is around it. */
export const nameFrom = (value) => textOf(value).replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').replace(/\s+/g, ' ')

/** The elements of a body as they are on the wire. */
export const elementsOf = (body) =>
  listOf(body).map(recordOf).map(({ MsgType, MsgContent }) => ({ type: textOf(MsgType), content: recordOf(MsgContent) }))

const blank = { state: 'sent', why: '', recalled: false, tip: null, note: '', mentions: [], nick: '' }

/** A C2C message, pushed or listed: [peer, message]. */
export function c2cMessage(wire, me) {
  const copy = wire.IsSyncMsg === 1 // its accounts are swapped
  const [from, to] = (copy ? [wire.To_Account, wire.From_Account] : [wire.From_Account, wire.To_Account]).map(textOf)
  const mine = from === me
  return [mine ? to : from, {
    ...blank, uid: uid(), from, mine, nick: nameFrom(wire.From_AccountNick), time: timeFrom(wire.MsgTimeStamp),
    seq: numberOf(wire.MsgSeq), random: numberOf(wire.MsgRandom), elements: elementsOf(wire.MsgBody), recalled: wire.MsgFlagBits === RECALLED_C2C,
  }]
}

/** A group message or tip, pushed or listed: [group, message]; no message for a gap in a list. */
export function groupMessage(wire, me, event = wire.Event) {
  const about = recordOf(wire.GroupInfo)
  const group = textOf(wire.ToGroupId ?? about.GroupId)
  if (wire.IsPlaceMsg === PLACEHOLDER) return [group, null]
  const tip = event === TIP && !Array.isArray(wire.MsgBody) ? recordOf(wire.MsgBody) : null
  return [group, {
    ...blank, uid: uid(), from: textOf(wire.From_Account), mine: !tip && wire.From_Account === me, time: timeFrom(wire.MsgTimeStamp),
    seq: numberOf(wire.MsgSeq), random: numberOf(wire.MsgRandom ?? wire.Random),
    nick: nameFrom(about.MsgFrom_AccountExtraInfo?.NameCard) || nameFrom(about.From_AccountNick), tip,
    elements: tip ? [] : elementsOf(wire.MsgBody), recalled: wire.IsPlaceMsg === RECALLED_IN_GROUP,
    mentions: listOf(wire.GroupAtInfo).map((at) => textOf(at?.GroupAt_Account) || MENTION_ALL),
  }]
}

/** A message of one's own, before it is sent. */
export const draft = (me, seq, time, elements, mentions = []) => ({
  ...blank, uid: uid(), from: me, mine: true, time, seq, random: Math.floor(Math.random() * 1e8), elements, mentions, state: 'sending',
})

/** A sentence of the page's own among the messages. */
export const remark = (note, time) => ({ ...blank, uid: uid(), from: '', mine: false, time, seq: -uid(), random: 0, elements: [], note })

export const bodyOf = (message) => message.elements.map(({ type, content }) => ({ MsgType: type, MsgContent: content }))

export const text = (content) => [{ type: 'TIMTextElem', content: { Text: content } }]
export const custom = (data) => [{ type: 'TIMCustomElem', content: { Data: data, Desc: '', Ext: '' } }]

export const isDice = ({ type, content }) => type === 'TIMCustomElem' && content.Data === 'dice'

/** The face of an answered die, 0 if it has not fallen. */
export function dieOf(content) {
  const face = Number(textOf(content.Desc))
  return Number.isInteger(face) && face >= 1 && face <= 6 ? face : 0
}

/** The numbers of one's own messages in a session: rising, and not those of a tab before. */
export function counter() {
  let last = Math.floor(Date.now() / 1000) % 1e9
  return () => ++last
}
