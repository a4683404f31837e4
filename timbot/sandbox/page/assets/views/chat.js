// One conversation: its head, its messages, and the place to write.

import { dayKey, dayOf } from '../words.js'
import { Composer } from './composer.js'
import { Standing } from './standing.js'
import { Avatar, Component, IconButton, Name, Safe, createRef, html } from './html.js'
import { Message } from './message.js'

export function Chat({ store }) {
  const chat = store.chats.current
  if (!chat) {
    return html`<main class="chat"><div class="empty"><p>Choose a conversation.</p><p class="hint">The bot is a good beginning.</p></div></main>`
  }
  const name = store.chats.nameOf(chat)
  const open = store.chats.canSpeak(chat)
  const bot = store.state.setup.bots.includes(chat.peer) && chat.type === 'C2C'
  return html`
    <main class="chat" aria-label="Conversation">
      <header class="bar">
        <span class="narrow-only"><${IconButton} icon="back" label="Back to the conversations" onClick=${() => store.set({ pane: 'list' })} /></span>
        <${Avatar} id=${chat.id} name=${name} group=${chat.type === 'GROUP'} bot=${bot} />
        <div class="grow"><h2><${Name}>${name}</${Name}></h2><p class="hint">${about(store, chat, bot)}</p></div>
        <${Standing} store=${store} chat=${chat} />
      </header>
      <${Net} store=${store} />
      ${open ? html`<${Log} key=${chat.id} store=${store} chat=${chat} count=${chat.messages.length} />` : html`<${Outside} store=${store} chat=${chat} />`}
      ${open && html`<${Composer} key=${chat.id} store=${store} chat=${chat} />`}
    </main>`
}

function about(store, chat, bot) {
  if (chat.type === 'C2C') return bot ? 'Bot' : html`User <${Name}>${chat.peer}</${Name}>`
  return chat.members.length ? `Group, ${chat.members.length} ${chat.members.length === 1 ? 'member' : 'members'}` : 'Group'
}

/** Says when the server is away. */
function Net({ store }) {
  const { net } = store.state
  if (net !== 'waiting') return null
  return html`
    <div class="net" role="alert">
      <span class="grow">The server is away. Trying again…</span>
      <button type="button" class="small" onClick=${() => store.retryNow()}>Try now</button>
    </div>`
}

/** The messages; stays at the end while one is there, and in place while older ones come in above. */
class Log extends Component {
  element = createRef()
  atEnd = true

  componentDidMount() {
    this.toEnd()
    this.watcher = new ResizeObserver(() => this.atEnd && this.toEnd())
    this.watcher.observe(this.element.current)
    this.watcher.observe(this.element.current.firstElementChild)
  }

  componentWillUnmount() {
    this.watcher.disconnect()
    this.props.chat.away = false
  }

  getSnapshotBeforeUpdate() {
    const { scrollHeight, scrollTop } = this.element.current
    return scrollHeight - scrollTop
  }

  componentDidUpdate(before, _state, fromEnd) {
    const { chat, count } = this.props
    const own = count > before.count && chat.messages.at(-1)?.mine
    if (own || this.atEnd) this.toEnd()
    else if (chat.messages[0]?.uid !== this.first) this.element.current.scrollTop = this.element.current.scrollHeight - fromEnd
    this.first = chat.messages[0]?.uid
  }

  toEnd() {
    const element = this.element.current
    element.scrollTop = element.scrollHeight
    this.atEnd = true
  }

  scrolled = () => {
    const { scrollHeight, scrollTop, clientHeight } = this.element.current
    this.atEnd = scrollHeight - scrollTop - clientHeight < 60
    this.props.chat.away = !this.atEnd
  }

  render({ store, chat }) {
    return html`
      <div class="log" ref=${this.element} onScroll=${this.scrolled} tabindex="0" role="region" aria-label="Messages">
        <div class="log-inner">
          ${chat.loaded && !chat.complete && html`
            <p class="center"><button type="button" class="small" disabled=${chat.loading} onClick=${() => store.chats.loadOlder(chat)}>Earlier messages</button></p>`}
          ${chat.trouble && html`
            <p class="center note">The messages cannot be read: ${chat.trouble} <button type="button" class="small" onClick=${() => store.chats.load(chat)}>Try again</button></p>`}
          ${!chat.messages.length && !chat.trouble && html`<${Empty} store=${store} chat=${chat} />`}
          <ol class="messages">${days(chat.messages).map(({ day, messages }) => html`
            <li class="day" key=${day}><span>${day}</span></li>
            ${messages.map(({ message, follows }) => html`
              <${Safe} key=${message.uid} instead=${html`<li class="note">A message that cannot be shown</li>`}><${Message} store=${store} chat=${chat} message=${message} follows=${follows} /></${Safe}>`)}`)}
          </ol>
        </div>
      </div>`
  }
}

function days(messages) {
  const found = []
  let last = null
  for (const message of messages) {
    const day = dayOf(message.time)
    if (found.at(-1)?.day !== day) {
      found.push({ day, messages: [] })
      last = null
    }
    const follows = !!last && !last.tip && !last.recalled && !last.note && last.from === message.from && message.time - last.time < 180 && dayKey(last.time) === dayKey(message.time)
    found.at(-1).messages.push({ message, follows })
    last = message
  }
  return found
}

function Empty({ store, chat }) {
  if (!chat.loaded) return html`<p class="empty">Reading the messages…</p>`
  const group = chat.type === 'GROUP'
  const bot = group ? store.chats.botIn(chat) : store.state.setup.bots.find((one) => one === chat.peer)
  const say = (words) => html`<button type="button" class="small" onClick=${() => store.chats.sendText(chat, words)}>${words}</button>`
  return html`
    <div class="empty">
      <p>Nothing has been said yet.</p>
      ${bot && html`<p class="hint">Perhaps begin with</p><p class="buttons">${say(group ? `@${store.nameOf(bot)} hello` : 'hello')} ${say('/dice 2 6')}</p>`}
    </div>`
}

/** A group one is not a member of. */
class Outside extends Component {
  state = { wording: '' }

  ask = (event) => {
    event.preventDefault()
    this.props.store.people.join(this.props.chat.peer, this.state.wording.trim())
  }

  render({ store, chat }, { wording }) {
    const { state = 'unknown', why = '' } = store.people.groups.get(chat.peer) ?? {}
    if (state === 'absent') {
      return html`<div class="empty"><p>There is no such group yet.</p><p class="hint">The bot makes it when it starts.</p></div>`
    }
    if (state === 'waiting') {
      return html`
        <div class="empty" role="status"><p>Your request was sent.</p><p class="hint">Waiting for an answer: the group opens here as soon as you are let in.</p></div>`
    }
    return html`
      <form class="empty outside" onSubmit=${this.ask}>
        ${state === 'refused'
          ? html`<p class="refusal" role="status">You were refused${why ? ': ' : '.'}${why && html`<${Name}>${why}</${Name}>`}</p>`
          : html`<p>You are not in this group yet.</p>`}
        <label>What do you want to say to them?
          <input type="text" maxlength="200" placeholder="I come to play dice" value=${wording} onInput=${(event) => this.setState({ wording: event.target.value })} />
        </label>
        <button type="submit" class="primary">${state === 'refused' ? 'Ask again' : 'Ask to join'}</button>
      </form>`
  }
}
