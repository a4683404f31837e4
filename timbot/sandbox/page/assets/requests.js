// Requests about messages, as the wire wants them: [servcmd, body].

import { MENTION_ALL, bodyOf } from './wire.js'

const NO_PUSH = { PushFlag: 0, Title: '', Desc: '', Ext: '', ApnsInfo: { BadgeMode: 0 }, AndroidInfo: { OPPOChannelID: '' } }

export const contactsAt = (me, position) =>
  ['recentcontact.page_get', { From_Account: me, ...position, OrderType: 1, MsgAssistFlags: 4, AssistFlags: 7 }]

export const missed = (cookie, goingOn) =>
  ['openim.getmsg', { Cookie: cookie, SyncFlag: goingOn ? 1 : 0, NeedAbstract: 1, IsOnlineSync: 0 }]

export function history(chat, cursor, count) {
  if (chat.type === 'C2C') {
    return ['openim.getroammsg', { Peer_Account: chat.peer, MaxCnt: count, LastMsgTime: cursor ? 0 : chat.until, MsgKey: cursor, WithRecalledMsg: 1 }]
  }
  const start = cursor ? { ReqMsgSeq: Number(cursor) } : {}
  return ['group_open_http_svc.group_msg_get', { GroupId: chat.peer, ReqMsgNumber: count, WithRecalledMsg: 1, ...start }]
}

export function sending(me, chat, message) {
  if (chat.type === 'C2C') {
    return ['openim.sendmsg', {
      From_Account: me, To_Account: chat.peer, MsgTimeStamp: Math.ceil(Date.now() / 1000), MsgSeq: message.seq, MsgRandom: message.random,
      MsgBody: bodyOf(message), CloudCustomData: '', From_AccountNick: '', From_AccountHeadurl: '', OfflinePushInfo: NO_PUSH,
    }]
  }
  const at = message.mentions.map((user) => (user === MENTION_ALL ? { GroupAtAllFlag: 1 } : { GroupAtAllFlag: 0, GroupAt_Account: user }))
  return ['group_open_http_svc.send_group_msg', {
    From_Account: me, GroupId: chat.peer, Random: message.random, ClientSeq: message.clientSeq, MsgPriority: 'Normal',
    MsgBody: bodyOf(message), CloudCustomData: '', OnlineOnlyFlag: 0, GroupAtInfo: at, OfflinePushInfo: NO_PUSH,
  }]
}

export function recalling(me, chat, message) {
  if (chat.type === 'GROUP') return ['group_open_http_svc.group_msg_recall', { GroupId: chat.peer, MsgSeqList: [{ MsgSeq: message.seq }] }]
  const named = { From_Account: me, To_Account: chat.peer, MsgSeq: message.seq, MsgRandom: message.random, MsgTimeStamp: message.time }
  return ['openim.msgwithdraw', { MsgInfo: named }]
}

export function reading(chat, last) {
  if (chat.type === 'GROUP') return ['group_open_http_svc.msg_read_report', { GroupId: chat.peer, MsgReadedSeq: last.seq }]
  const item = { To_Account: chat.peer, LastedMsgTime: last.time, Receipt: 1 }
  return ['openim.msgreaded', { C2CMsgReaded: { Cookie: '', C2CMsgReadedItem: [item] } }]
}

export const membersOf = (group) => ['group_open_http_svc.get_group_member_info', {
  GroupId: group, Limit: 100, Offset: 0, MemberInfoFilter: ['Role', 'NameCard', 'JoinTime'],
}]
