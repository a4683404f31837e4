// The messages of a conversation in their order: nothing twice, nothing lost, and no more in memory than a page can draw quickly.

const KEPT = 500 // of a conversation; older ones are read again on demand
const MOST = 5000 // while somebody reads further up, where nothing may move

/** The message that is the same as this one. */
export function find(chat, message) {
  if (chat.type === 'GROUP') {
    return chat.messages.find((other) => (other.seq && other.state === 'sent'
      ? other.seq === message.seq
      : other.mine && message.mine && other.random === message.random))
  }
  return chat.messages.find((other) => other.mine === message.mine && other.seq === message.seq && other.random === message.random)
}

/** Puts a message that came in into its place. */
export function add(chat, message) {
  const last = chat.messages.at(-1)
  chat.messages.push(message)
  if (chat.type === 'GROUP' && last && !(last.state === 'sent' && !last.note && last.seq < message.seq)) order(chat)
}

/** A group counts its messages; what was not sent comes last. */
export function order(chat) {
  const [sent, rest] = parted(chat.messages, (message) => message.state === 'sent' && !message.note)
  const [notes, unsent] = parted(rest, (message) => message.note)
  chat.messages = withNotes([...sent.sort((a, b) => a.seq - b.seq), ...unsent], notes)
}

/** Puts a page of the server's, the newest, among what is here. */
export function merge(chat, page) {
  for (const message of page) {
    const here = find(chat, message)
    if (!here) continue
    message.known = true
    settle(here, message)
  }
  if (chat.type === 'GROUP') {
    chat.messages.push(...page.filter((message) => !message.known))
    order(chat)
    return
  }
  const listed = new Set(page.map((message) => find(chat, message) ?? message))
  const place = page.length ? page[0].time : 0
  const [notes, rest] = parted(chat.messages.filter((message) => !listed.has(message)), (message) => message.note)
  const [before, after] = parted(rest, (message) => message.state === 'sent' && message.time < place)
  chat.messages = withNotes([...before, ...listed, ...after], notes)
}

/** Lets go of the oldest. Where they were, reading goes on. */
export function trim(chat) {
  if (chat.messages.length <= (chat.away ? MOST : KEPT)) return
  const gone = chat.messages.splice(0, chat.messages.length - KEPT / 2)
  for (const message of gone) message.release?.()
  const first = chat.messages.find((message) => message.state === 'sent' && !message.note)
  const cursor = first && chat.type === 'GROUP' ? String(first.seq - 1) : ''
  Object.assign(chat, { complete: false, cursor, until: first?.time ?? 0 })
}

/** The server has it: what was in doubt is no longer. */
function settle(here, listed) {
  Object.assign(here, { state: 'sent', why: '', time: listed.time, seq: listed.seq, recalled: here.recalled || listed.recalled })
}

/** The page's own sentences stand where their time is. */
function withNotes(messages, notes) {
  for (const note of notes) {
    const before = messages.findLastIndex((message) => message.state === 'sent' && message.time <= note.time)
    messages.splice(before + 1, 0, note)
  }
  return messages
}

function parted(list, test) {
  const [yes, no] = [[], []]
  for (const one of list) (test(one) ? yes : no).push(one)
  return [yes, no]
}
