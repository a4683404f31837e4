// Before anybody is in: who do you want to be? And after one was turned out.

import { c2cId } from '../wire.js'
import { Avatar, Name, html } from './html.js'

const Frame = ({ title, children }) => html`
  <main class="entrance"><div class="card"><h1>${title}</h1>${children}</div></main>`

export function Entrance({ store }) {
  const { phase, user, why } = store.state
  if (phase === 'loading') return html`<p class="loading" role="status">Loading…</p>`
  if (phase === 'unreachable') return html`<${Unreachable} store=${store} />`
  if (phase === 'kicked') return html`<${Kicked} store=${store} user=${user} />`
  if (phase === 'refused') return html`<${Refused} store=${store} why=${why} />`
  return html`<${Choose} store=${store} />`
}

function Choose({ store }) {
  const { users } = store.state.setup
  return html`
    <${Frame} title="Who are you?">
      ${users.length
        ? html`<p>This is a local test server. Nobody needs a password: choose a user and talk to the bot.</p>`
        : html`<p>This server has no users of its own. Give it some: <code>--users alice,bob</code>.</p>`}
      <ul class="choices">
        ${users.map((user) => html`
          <li key=${user}><button type="button" class="choice" onClick=${() => store.enter(user)}>
            <${Avatar} id=${c2cId(user)} name=${user} /><span class="grow">Continue as <strong><${Name}>${user}</${Name}></strong></span>
          </button></li>`)}
      </ul>
      <p class="hint">For two people at once, open a second tab and choose another user there.</p>
    </${Frame}>`
}

const Kicked = ({ store, user }) => html`
  <${Frame} title="Logged in somewhere else">
    <p>Another tab or program has logged in as <strong><${Name}>${user}</${Name}></strong>. A user can be in one place at a time,
      so this tab was logged out.</p>
    <p class="buttons">
      <button type="button" class="primary" onClick=${() => store.enter(user)}>Come back here</button>
      <button type="button" onClick=${() => store.leave()}>Be somebody else</button>
    </p>
  </${Frame}>`

const Refused = ({ store, why }) => html`
  <${Frame} title="The server said no">
    <p>${why}</p>
    <p class="buttons"><button type="button" class="primary" onClick=${() => store.leave()}>Choose again</button></p>
  </${Frame}>`

const Unreachable = ({ store }) => html`
  <${Frame} title="The server is away">
    <p>It does not answer. Is it still running?</p>
    <p class="buttons"><button type="button" class="primary" onClick=${() => store.load()}>Try again</button></p>
  </${Frame}>`
