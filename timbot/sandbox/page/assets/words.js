// The wire in words: what a message says in one line, what a tip tells, when something was.

import { MENTION_ALL, dieOf, isDice, listOf, nameFrom, recordOf, textOf } from './wire.js'

const JOINED = 1
const LEFT = 2
const REMOVED = 3
const MADE_ADMIN = 4
const ADMIN_WITHDRAWN = 5
const CHANGED = 6
const MUTED = 7

/** One element in a line, for lists and screen readers. */
export function summary(element) {
  const { type, content } = element
  if (isDice(element)) return dieOf(content) ? `Die: ${dieOf(content)}` : 'Rolls the dice'
  switch (type) {
    case 'TIMTextElem': return short(content.Text)
    case 'TIMFaceElem': return `[Face ${textOf(content.Index)}]`
    case 'TIMImageElem': return '[Image]'
    case 'TIMSoundElem': return '[Voice message]'
    case 'TIMVideoFileElem': return '[Video]'
    case 'TIMFileElem': return `[File] ${short(content.FileName)}`
    case 'TIMLocationElem': return `[Location] ${short(content.Desc)}`
    case 'TIMRelayElem': return `[Messages] ${short(content.Title)}`
    case 'TIMCustomElem': return `[Custom] ${short(content.Desc) || short(content.Data)}`
    default: return `[${short(type) || 'Nothing'}]`
  }
}

const SHORT = 200

/** The beginning of a text, on one line. */
export function short(value) {
  const text = nameFrom(textOf(value).slice(0, 2 * SHORT))
  return text.length > SHORT ? `${text.slice(0, SHORT).replace(/[\ud800-\udbff]$/, '')}…` : text
}

/** A whole message in a line. */
export function line(message, nameOf) {
  if (message.recalled) return `${message.mine ? 'You' : nameOf(message.from, message.nick)} recalled a message`
  if (message.note) return message.note
  if (message.tip) return tip(message.tip, nameOf)
  return message.elements.map(summary).join(' ') || '[Nothing]'
}

/** What happened in a group. */
export function tip(body, nameOf) {
  const extra = [...listOf(body.MsgMemberExtraInfo), body.MsgOperatorMemberExtraInfo].map(recordOf)
  const nicks = new Map(extra.map((one) => [one.UserId, nameFrom(one.NickName)]))
  const name = (user) => nameOf(textOf(user), nicks.get(user))
  const operator = name(body.Operator_Account)
  const about = (Array.isArray(body.List_Account) ? body.List_Account : [body.Operator_Account]).map(name).join(', ')
  switch (body.OpType) {
    case JOINED: return `${about} joined the group`
    case LEFT: return `${operator} left the group`
    case REMOVED: return `${about} was removed by ${operator}`
    case MADE_ADMIN: return `${about} is an admin now`
    case ADMIN_WITHDRAWN: return `${about} is no admin any more`
    case CHANGED: return `${operator} changed the group${change(recordOf(body.MsgGroupNewInfo))}`
    case MUTED: return `${operator} changed who may speak`
    default: return 'Something happened in the group'
  }
}

function change(info) {
  if (info.GroupName) return `: it is called “${short(info.GroupName)}” now`
  if (info.GroupNotification) return `’s notice: ${short(info.GroupNotification)}`
  if (info.Owner_Account) return `’s owner: ${short(info.Owner_Account)}`
  return ''
}

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const exact = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }) // narrow
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', month: 'long', day: 'numeric' })
const date = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })

export const timeOf = (seconds) => clock.format(seconds * 1000)
export const exactTimeOf = (seconds) => exact.format(seconds * 1000)
export const machineTimeOf = (seconds) => new Date(seconds * 1000).toISOString()
export const dayKey = (seconds) => new Date(seconds * 1000).toDateString()

export function dayOf(seconds) {
  return dayKey(seconds) === new Date().toDateString() ? 'Today' : day.format(seconds * 1000)
}

export const whenOf = (seconds) => (dayKey(seconds) === new Date().toDateString() ? timeOf(seconds) : date.format(seconds * 1000))

export function sizeOf(bytes) {
  if (!(Number.isFinite(bytes) && bytes > 0)) return ''
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

/** An http or https address, or null for anything else. */
export function webAddress(text) {
  try {
    const url = new URL(textOf(text))
    return ['http:', 'https:'].includes(url.protocol) && url.host ? url : null
  } catch {
    return null
  }
}

const LINKS = 100 // in a message; what comes after them is plain

/** An address without the signs of the sentence that ends after it. Not by a regex: one such is slow on purpose-made texts. */
function trimmed(address) {
  let end = address.length
  while (end && `.,;:!?'")]`.includes(address[end - 1])) end--
  return address.slice(0, end)
}

/** A text cut into plain parts and links. */
export function linked(text) {
  const parts = []
  let rest = 0
  let links = 0
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"“”，。、\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi)) {
    const found = trimmed(match[0])
    if (links >= LINKS) break
    const url = webAddress(found)
    if (!url) continue
    links++
    if (match.index > rest) parts.push({ text: text.slice(rest, match.index) })
    parts.push({ text: found, href: url.href })
    rest = match.index + found.length
  }
  if (rest < text.length) parts.push({ text: text.slice(rest) })
  return parts
}

/** The address of an upload as this page may show it: SDKs turn addresses into https, and a machine has several names. */
export function ownFile(text) {
  const url = webAddress(text)
  if (!url || !/^\/files\/[0-9a-f]{32}$/.test(url.pathname)) return null
  const here = (host) => ['localhost', '127.0.0.1', '[::1]'].includes(host)
  const same = url.hostname === location.hostname || (here(url.hostname) && here(location.hostname))
  return same && url.port === location.port ? url.pathname : null
}

/** The members a text speaks to, by nick or user ID after an @. */
export function mentioned(text, members) {
  const found = members.filter(({ user, nick }) => [user, nick].some((name) => name && speaksTo(text, name))).map(({ user }) => user)
  return /@(all|所有人)(?![\p{L}\p{N}_])/iu.test(text) ? [...found, MENTION_ALL] : found
}

const LONGEST_NAME = 64

/** The name that is being written after an @, up to the cursor: where it begins, and what there is of it; or null. */
export function nameBegun(text, cursor) {
  const at = text.slice(0, cursor).lastIndexOf('@')
  if (at < 0 || cursor - at > LONGEST_NAME || /[a-z0-9_.+-]/i.test(text[at - 1] ?? '')) return null // an address of mail is none
  const begun = text.slice(at + 1, cursor)
  return /\s/.test(begun) ? null : { at, begun: begun.toLowerCase() }
}

/** The members whom a begun name may be of. Who is written in full needs no help. */
export function meant(begun, members) {
  const names = ({ user, nick }) => [user, nick].filter(Boolean).map((name) => name.toLowerCase())
  return members.some((one) => names(one).includes(begun)) ? [] : members.filter((one) => names(one).some((name) => name.startsWith(begun)))
}

function speaksTo(text, name) {
  const low = text.toLowerCase()
  const wanted = `@${name.toLowerCase()}`
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, at + 1)) {
    if (!/^[a-z0-9_]/.test(low.slice(at + wanted.length))) return true
  }
  return false
}
