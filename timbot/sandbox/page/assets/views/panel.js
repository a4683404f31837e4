// What the bot did, newest first.

import { exactTimeOf, machineTimeOf } from '../words.js'
import { IconButton, Name, Safe, html } from './html.js'

export function Panel({ store }) {
  const { entries, open } = store.feed
  const { bots, botIsHere } = store.state.setup
  return html`
    <aside class="panel" aria-label="What the bot did">
      <header class="bar">
        <span class="narrow-only"><${IconButton} icon="back" label="Back to the conversations" onClick=${() => store.set({ pane: 'list' })} /></span>
        <h2 class="grow">What the bot did</h2>
        <span class=${open ? 'live on' : 'live'}>${open ? 'live' : 'away'}</span>
      </header>
      ${!botIsHere && html`
        <p class="hint pad">${bots.length
          ? html`The bot runs in a program of its own. This is what the server sees of ${bots.map((bot, n) => html`${n ? ', ' : ''}<${Name}>${bot}</${Name}>`)}.`
          : 'This server was not told which users are bots.'}</p>`}
      ${entries.length
        ? html`<ol class="feed" tabindex="0" aria-label="Newest first">${entries.map((entry) => html`<${Safe} key=${entry.number}><${Entry} entry=${entry} many=${bots.length > 1} store=${store} /></${Safe}>`)}</ol>`
        : html`<div class="empty"><p>Nothing yet.</p><p class="hint">${botIsHere ? 'Write to the bot, and you see here which of its handlers answers.' : 'What the bot does appears here.'}</p></div>`}
    </aside>`
}

const MOODS = [
  [/^(fail|refuse|reject|error|unknown|dead|lost|silenced)/i, 'bad'],
  [/^(nobody|no |not |nothing|none|ignored|left|gone|passed|done by)/i, 'soft'],
  [/^(repl|accept|done|sent|\d+ sent|handled)/i, 'good'],
]

function Entry({ entry, many, store }) {
  const mood = MOODS.find(([pattern]) => pattern.test(entry.outcome))?.[1] ?? ''
  return html`
    <li class="entry">
      <p class="entry-top"><strong><${Name}>${entry.event}</${Name}></strong>
        ${entry.who && html`<span> <span class="soft">${store.state.setup.botIsHere ? 'from' : ''}</span> <${Name}>${store.nameOf(entry.who)}</${Name}></span>`}
        <time class="soft end" datetime=${machineTimeOf(entry.time)}>${exactTimeOf(entry.time)}</time></p>
      <p class="entry-more">
        ${entry.route && html`<code><${Name}>${entry.route}</${Name}></code> `}
        ${entry.why && html`<span class="why"><span class="sr">because of </span><${Name}>${entry.why}</${Name}></span> `}
        <span class=${mood}><${Name}>${entry.outcome || 'done'}</${Name}></span>
        ${entry.milliseconds > 0 && html`<span class="soft"> ·\u00a0${duration(entry.milliseconds)}</span>`}
      </p>
      ${(place(entry) || many) && html`<p class="soft entry-more">${[many && entry.account, place(entry)].filter(Boolean).map((word, n) => html`${n ? ' · ' : ''}<${Name}>${word}</${Name}>`)}</p>`}
    </li>`
}

/** Where it was, if that is not said by who it was. */
function place({ conversation, who }) {
  if (conversation.startsWith('GROUP')) return `in ${conversation.slice('GROUP'.length)}`
  const asked = conversation.startsWith('APPLICATION') && conversation.endsWith(`/${who}`)
  return asked ? `to ${conversation.slice('APPLICATION'.length, -who.length - 1)}` : ''
}

const duration = (milliseconds) => (milliseconds < 10 ? `${milliseconds.toFixed(1)}\u00a0ms` : `${Math.round(milliseconds)}\u00a0ms`)
