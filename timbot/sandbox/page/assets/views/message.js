// A message: its bubble, what is known of its way, and what can be done with it.

import { RECALL_SECONDS } from '../chats.js'
import { line, machineTimeOf, timeOf } from '../words.js'
import { Content } from './content.js'
import { Component, IconButton, Name, html } from './html.js'

/** Drawn again only if it looks different: a conversation has hundreds of them. */
export class Message extends Component {
  shouldComponentUpdate(next) {
    return this.drawn !== look(next)
  }

  render(props) {
    this.drawn = look(props)
    const { store, chat, message, follows } = props
    if (isNote(message)) return html`<li class="note"><${Name}>${line(message, naming(store))}</${Name}></li>`
    const name = store.nameOf(message.from, message.nick)
    const side = message.mine ? 'mine' : 'theirs'
    const bare = message.elements.length === 1 && message.elements[0].type === 'TIMImageElem' ? 'bare' : ''
    return html`
      <li class=${`message ${side} ${follows ? 'follows' : ''} ${message.state}`}>
        ${!message.mine && chat.type === 'GROUP' && !follows && html`<${Name} class="author">${name}</${Name}>`}
        <div class="line">
          <div class=${`bubble ${bare}`} dir="auto">
            <span class="sr">${message.mine ? 'You' : name}: </span>
            ${message.elements.map((element) => html`<${Content} element=${element} store=${store} />`)}
            ${!message.elements.length && html`<em>Nothing in it</em>`}
          </div>
          ${store.chats.canRecall(message) && html`<span class="act"><${IconButton} icon="bin" label="Recall this message: take it back, for everybody" onClick=${() => store.chats.recall(chat, message)} /></span>`}
        </div>
        <p class="meta"><time datetime=${machineTimeOf(message.time)}>${timeOf(message.time)}</time>${message.mine && html`<${Way} chat=${chat} message=${message} />`}</p>
        ${message.state === 'failed' && html`
          <p class="failure" role="alert"><${Name}>${message.why}</${Name}>
            <button type="button" class="small" onClick=${() => store.chats.retry(chat, message)}>Send again</button>
            <button type="button" class="small" onClick=${() => store.chats.discard(chat, message)}>Delete</button>
          </p>`}
      </li>`
  }
}

const isNote = ({ tip, recalled, note }) => tip || recalled || note
const naming = (store) => (user, nick) => store.nameOf(user, nick)
const isRead = (chat, message) => chat.type === 'C2C' && message.time <= chat.peerRead

/** Everything of a message that may change and is seen. */
function look({ store, chat, message, follows }) {
  if (isNote(message)) return line(message, naming(store))
  const { mine, state, why, time, from, nick } = message
  return [state, why, time, follows, mine ? [isRead(chat, message), store.chats.canRecall(message)] : store.nameOf(from, nick)].join('\n')
}

/** How far one's own message has come. */
function Way({ chat, message }) {
  if (message.state === 'failed') return null
  const word = message.state === 'sending' ? (message.prepare ? 'uploading…' : 'sending…') : isRead(chat, message) ? 'read' : 'sent'
  return html` <span class=${`way ${word}`}>· ${word}</span>`
}

/** How long until a recall button that is shown has to go, in milliseconds; 0 if there is none. */
export function nextRecallEnd(store) {
  const chat = store.chats.current
  const left = chat ? chat.messages.filter((one) => store.chats.canRecall(one)).map((one) => one.time + RECALL_SECONDS - store.session.now()) : []
  return left.length ? Math.max(250, Math.min(...left) * 1000) : 0
}
