// The wire in words: what a message says in one line, what a tip tells, when something was.

import { MENTION_ALL, dieOf, isDice } from './wire.js'

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
    case 'TIMTextElem': return String(content.Text ?? '')
    case 'TIMFaceElem': return `[Face ${content.Index ?? ''}]`
    case 'TIMImageElem': return '[Image]'
    case 'TIMSoundElem': return '[Voice message]'
    case 'TIMVideoFileElem': return '[Video]'
    case 'TIMFileElem': return `[File] ${content.FileName ?? ''}`
    case 'TIMLocationElem': return `[Location] ${content.Desc ?? ''}`
    case 'TIMRelayElem': return `[Messages] ${content.Title ?? ''}`
    case 'TIMCustomElem': return `[Custom] ${content.Desc || content.Data || ''}`
    default: return `[${type || 'Nothing'}]`
  }
}

/** A whole message in a line. */
export function line(message, nameOf) {
  if (message.recalled) return `${message.mine ? 'You' : nameOf(message.from, message.nick)} recalled a message`
  if (message.tip) return tip(message.tip, nameOf)
  return message.elements.map(summary).join(' ') || '[Nothing]'
}

/** What happened in a group. */
export function tip(body, nameOf) {
  const nicks = new Map([...(body.MsgMemberExtraInfo ?? []), body.MsgOperatorMemberExtraInfo ?? {}].map((one) => [one.UserId, one.NickName]))
  const name = (user) => nameOf(user, nicks.get(user))
  const operator = name(body.Operator_Account)
  const about = (body.List_Account ?? [body.Operator_Account]).map(name).join(', ')
  switch (body.OpType) {
    case JOINED: return `${about} joined the group`
    case LEFT: return `${operator} left the group`
    case REMOVED: return `${about} was removed by ${operator}`
    case MADE_ADMIN: return `${about} is an admin now`
    case ADMIN_WITHDRAWN: return `${about} is no admin any more`
    case CHANGED: return `${operator} changed the group${change(body.MsgGroupNewInfo ?? {})}`
    case MUTED: return `${operator} changed who may speak`
    default: return 'Something happened in the group'
  }
}

function change(info) {
  if (info.GroupName) return `: it is called “${info.GroupName}” now`
  if (info.GroupNotification) return `’s notice: ${info.GroupNotification}`
  if (info.Owner_Account) return `’s owner: ${info.Owner_Account}`
  return ''
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const exact = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', month: 'long', day: 'numeric' })
const short = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })

export const timeOf = (seconds) => clock.format(seconds * 1000)
export const exactTimeOf = (seconds) => exact.format(seconds * 1000)
export const machineTimeOf = (seconds) => new Date(seconds * 1000).toISOString()
export const dayKey = (seconds) => new Date(seconds * 1000).toDateString()

export function dayOf(seconds) {
  return dayKey(seconds) === new Date().toDateString() ? 'Today' : day.format(seconds * 1000)
}

export const whenOf = (seconds) => (dayKey(seconds) === new Date().toDateString() ? timeOf(seconds) : short.format(seconds * 1000))

export function sizeOf(bytes) {
  if (!(bytes > 0)) return ''
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

/** An http or https address, or null for anything else. */
export function webAddress(text) {
  try {
    const url = new URL(String(text))
    return ['http:', 'https:'].includes(url.protocol) && url.host ? url : null
  } catch {
    return null
  }
}

/** A text cut into plain parts and links. */
export function linked(text) {
  const parts = []
  let rest = 0
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"“”，。、]+/gi)) {
    const found = match[0].replace(/[.,;:!?'")\]]+$/, '')
    const url = webAddress(found)
    if (!url) continue
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

function speaksTo(text, name) {
  const low = text.toLowerCase()
  const wanted = `@${name.toLowerCase()}`
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, at + 1)) {
    if (!/^[a-z0-9_]/.test(low.slice(at + wanted.length))) return true
  }
  return false
}
