// The page: three panes beside each other, or one at a time where there is no room.

import { Store } from './store.js'
import { Chat } from './views/chat.js'
import { Entrance } from './views/entrance.js'
import { Dialog, Safe, html, render } from './views/html.js'
import { nextRecallEnd } from './views/message.js'
import { Panel } from './views/panel.js'
import { Sidebar } from './views/sidebar.js'

const root = document.getElementById('app')
const store = new Store(draw)
let recallTimer = 0

function App() {
  const { phase, pane, busy, toasts, spoken, dialog } = store.state
  return html`
    ${phase === 'in'
      ? html`<div class=${`app show-${pane}`} aria-busy=${busy}>${[Sidebar, Chat, Panel].map((Pane) => html`<${Safe} key=${Pane} instead=${html`<${Broken} />`}><${Pane} store=${store} /></${Safe}>`)}</div>`
      : html`<${Entrance} store=${store} />`}
    ${dialog?.picture && html`
      <${Dialog} title=${dialog.label} wide onClose=${() => store.set({ dialog: null })}><img class="large" src=${dialog.picture} alt=${dialog.label} /></${Dialog}>`}
    <div class="toasts" role="status">${toasts.map((toast) => html`<p key=${toast.id} class=${`toast ${toast.kind}`}><bdi>${toast.text}</bdi></p>`)}</div>
    <div class="sr" aria-live="polite" id="spoken">${spoken}</div>`
}

const Broken = () => html`<p class="empty">This part of the page cannot be shown. <a href="/">Begin again</a></p>`

function draw() {
  render(html`<${App} />`, root)
  const unread = store.state.phase === 'in' ? store.chats.unread : 0
  document.title = `${unread ? `(${unread}) ` : ''}${store.me ? `${store.me} – ` : ''}timbot chat`
  clearTimeout(recallTimer)
  const wait = store.state.phase === 'in' ? nextRecallEnd(store) : 0
  if (wait) recallTimer = setTimeout(() => store.changed(), wait)
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && store.state.phase === 'in' && store.chats.current) store.chats.markRead(store.chats.current)
})
addEventListener('hashchange', () => {
  const named = store.namedInAddress()
  if (named && named !== store.me) store.enter(named)
})
addEventListener('dragover', (event) => event.preventDefault()) // a picture dropped beside the field must not replace the page
addEventListener('drop', (event) => event.preventDefault())
addEventListener('pagehide', () => store.session?.stop())
addEventListener('pageshow', (event) => event.persisted && location.reload())

root.replaceChildren()
store.load()
draw()
