// From the wire to the page's own values, and back. A message here:
//   {uid, from, nick, mine, time, seq, random, elements: [{type, content}], state: sending|sent|failed, why,
//    recalled, tip: null|{...}, mentions: [user]}

let uids = 0
export const uid = () => ++uids

export const c2cId = (user) => `C2C${user}`
export const groupId = (group) => `GROUP${group}`

export const MENTION_ALL = '__kImSDK_MesssageAtALL__'
const RECALLED_C2C = 8
const PLACEHOLDER = 1
const RECALLED_IN_GROUP = 2
const TIP = 4

const elementsOf = (body) =>
  Array.isArray(body) ? body.map((element) => ({ type: String(element?.MsgType ?? ''), content: element?.MsgContent ?? {} })) : []

const blank = { state: 'sent', why: '', recalled: false, tip: null, mentions: [], nick: '' }

/** A C2C message, pushed or listed: [peer, message]. */
export function c2cMessage(wire, me) {
  const copy = wire.IsSyncMsg === 1 // its accounts are swapped
  const from = copy ? wire.To_Account : wire.From_Account
  const to = copy ? wire.From_Account : wire.To_Account
  const mine = from === me
  return [mine ? to : from, {
    ...blank, uid: uid(), from, mine, nick: wire.From_AccountNick ?? '', time: wire.MsgTimeStamp, seq: wire.MsgSeq, random: wire.MsgRandom,
    elements: elementsOf(wire.MsgBody), recalled: wire.MsgFlagBits === RECALLED_C2C,
  }]
}

/** A group message or tip, pushed or listed: [group, message]; no message for a gap in a list. */
export function groupMessage(wire, me, event = wire.Event) {
  const about = wire.GroupInfo ?? {}
  const group = wire.ToGroupId ?? about.GroupId
  if (wire.IsPlaceMsg === PLACEHOLDER) return [group, null]
  const tip = event === TIP && !Array.isArray(wire.MsgBody) ? wire.MsgBody : null
  return [group, {
    ...blank, uid: uid(), from: wire.From_Account ?? '', mine: !tip && wire.From_Account === me, time: wire.MsgTimeStamp,
    seq: wire.MsgSeq, random: wire.MsgRandom ?? wire.Random,
    nick: about.MsgFrom_AccountExtraInfo?.NameCard || about.From_AccountNick || '', tip,
    elements: tip ? [] : elementsOf(wire.MsgBody), recalled: wire.IsPlaceMsg === RECALLED_IN_GROUP,
    mentions: (wire.GroupAtInfo ?? []).map((at) => at.GroupAt_Account || MENTION_ALL),
  }]
}

/** A message of one's own, before it is sent. */
export const draft = (me, seq, time, elements, mentions = []) => ({
  ...blank, uid: uid(), from: me, mine: true, time, seq, random: Math.floor(Math.random() * 1e8), elements, mentions, state: 'sending',
})

export const bodyOf = (message) => message.elements.map(({ type, content }) => ({ MsgType: type, MsgContent: content }))

export const text = (content) => [{ type: 'TIMTextElem', content: { Text: content } }]
export const custom = (data) => [{ type: 'TIMCustomElem', content: { Data: data, Desc: '', Ext: '' } }]

export const isDice = ({ type, content }) => type === 'TIMCustomElem' && content.Data === 'dice'

/** The face of an answered die, 0 if it has not fallen. */
export function dieOf(content) {
  const face = Number(content.Desc)
  return Number.isInteger(face) && face >= 1 && face <= 6 ? face : 0
}

/** The numbers of one's own messages in a session: rising, and not those of a tab before. */
export function counter() {
  let last = Math.floor(Date.now() / 1000) % 1e9
  return () => ++last
}
