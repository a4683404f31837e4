// Who one is, the requests that wait for an answer, and the conversations.

import { c2cId } from '../wire.js'
import { machineTimeOf, whenOf } from '../words.js'
import { Avatar, IconButton, Name, Safe, html } from './html.js'

const MOST = 200 // conversations shown; those behind them are the ones longest silent

export const Sidebar = ({ store }) => html`
  <nav class="sidebar" aria-label="Conversations">
    <header class="bar">
      <${Avatar} id=${c2cId(store.me)} name=${store.nameOf(store.me)} />
      <h1 class="grow"><${Name}>${store.nameOf(store.me)}</${Name}></h1>
      <span class="narrow-only"><${IconButton} icon="panel" label="What the bot did" onClick=${() => store.set({ pane: 'panel' })} /></span>
      <${IconButton} icon="leave" label="Be somebody else" onClick=${() => store.leave()} />
    </header>
    <${Requests} store=${store} />
    <ul class="chats">${store.chats.listed().slice(0, MOST).map((chat) => html`<${Safe} key=${chat.id}><${Row} store=${store} chat=${chat} /></${Safe}>`)}</ul>
  </nav>`

const Requests = ({ store }) => {
  const asking = [...store.people.asking]
  if (!asking.length) return null
  return html`
    <section class="requests" aria-label="Friend requests">
      ${asking.map(([user, { wording }]) => html`
        <div class="request" key=${user}>
          <p><strong><${Name}>${store.nameOf(user)}</${Name}></strong> wants to be your friend${wording ? ':' : '.'}
            ${wording && html` <${Name}>${wording}</${Name}>`}</p>
          <p class="buttons">
            <button type="button" class="primary small" onClick=${() => store.people.answer(user, true)}>Accept</button>
            <button type="button" class="small" onClick=${() => store.people.answer(user, false)}>Refuse</button>
          </p>
        </div>`)}
    </section>`
}

function Row({ store, chat }) {
  const name = store.chats.nameOf(chat)
  const here = chat === store.chats.current
  const bot = store.state.setup.bots.includes(chat.peer) && chat.type === 'C2C'
  return html`
    <li><button type="button" class=${here ? 'row here' : 'row'} aria-current=${here ? 'true' : undefined} data-id=${chat.id} onClick=${() => store.chats.open(chat)}>
      <${Avatar} id=${chat.id} name=${name} group=${chat.type === 'GROUP'} bot=${bot} />
      <span class="row-text">
        <span class="row-top">
          <${Name} class="row-name">${name}</${Name}>
          ${bot && html`<span class="tag">bot</span>`}
          ${chat.time > 0 && html`<time class="row-time" datetime=${machineTimeOf(chat.time)}>${whenOf(chat.time)}</time>`}
        </span>
        <span class="row-top">
          <${Name} class="row-last">${chat.last || empty(store, chat, bot)}</${Name}>
          ${chat.unread > 0 && html`<span class="badge">${chat.unread > 99 ? '99+' : chat.unread}<span class="sr"> unread</span></span>`}
        </span>
      </span>
    </button></li>`
}

function empty(store, chat, bot) {
  if (bot) return 'Say hello'
  if (chat.type === 'C2C') return 'Nothing said yet'
  return { joined: 'Nothing said yet', waiting: 'Waiting for an answer', refused: 'Refused', absent: 'Not there yet' }[
    store.people.groups.get(chat.peer)?.state
  ] ?? 'Ask to join'
}
