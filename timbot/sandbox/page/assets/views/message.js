// A message: its bubble, what is known of its way, and what can be done with it.

import { RECALL_SECONDS } from '../chats.js'
import { line, machineTimeOf, timeOf } from '../words.js'
import { Content } from './content.js'
import { IconButton, Name, html } from './html.js'

export function Message({ store, chat, message, follows }) {
  const nameOf = (user, nick) => store.nameOf(user, nick)
  if (message.tip || message.recalled) {
    return html`<li class="note"><${Name}>${line(message, nameOf)}</${Name}></li>`
  }
  const name = nameOf(message.from, message.nick)
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
        ${store.chats.canRecall(message) && html`<span class="act"><${IconButton} icon="undo" label="Recall this message" onClick=${() => store.chats.recall(chat, message)} /></span>`}
      </div>
      <p class="meta"><time datetime=${machineTimeOf(message.time)}>${timeOf(message.time)}</time>${message.mine && html`<${Way} chat=${chat} message=${message} />`}</p>
      ${message.state === 'failed' && html`
        <p class="failure" role="alert"><${Name}>${message.why}</${Name}>
          <button type="button" class="small" onClick=${() => store.chats.retry(chat, message)}>Send again</button>
          <button type="button" class="small" onClick=${() => store.chats.discard(chat, message)}>Delete</button>
        </p>`}
    </li>`
}

/** How far one's own message has come. */
function Way({ chat, message }) {
  if (message.state === 'failed') return null
  const read = chat.type === 'C2C' && message.time <= chat.peerRead
  const word = message.state === 'sending' ? (message.prepare ? 'uploading…' : 'sending…') : read ? 'read' : 'sent'
  return html` <span class=${`way ${word}`}>· ${word}</span>`
}

/** How long until a recall button that is shown has to go, in milliseconds; 0 if there is none. */
export function nextRecallEnd(store) {
  const chat = store.chats.current
  const left = chat ? chat.messages.filter((one) => store.chats.canRecall(one)).map((one) => one.time + RECALL_SECONDS - store.session.now()) : []
  return left.length ? Math.max(250, Math.min(...left) * 1000) : 0
}
