// How one stands with somebody: a friend, asked, refused, or not asked yet.

import { Component, Dialog, Icon, Name, html } from './html.js'

export function Standing({ store, chat }) {
  if (chat.type !== 'C2C') return null
  const { friends, asked, asking } = store.people
  const user = chat.peer
  const { state, why = '' } = asked.get(user) ?? {}
  const close = () => store.set({ dialog: null })
  if (friends.has(user)) return html`<span class="standing good" role="status">Friend</span>`
  if (state === 'waiting') return html`<span class="standing" role="status">Friend request sent</span>`
  if (asking.has(user)) return null
  const said = { refused: 'Friend request refused', failed: `Not sent: ${why}` }[state]
  return html`
    ${said && html`<span class="standing bad" role="status">${said}</span>`}
    <button type="button" class="small with-icon" aria-label="Add friend" title="Add friend" onClick=${() => store.set({ dialog: 'friend' })}><${Icon} name="person" /> <span>Add friend</span></button>
    ${store.state.dialog === 'friend' && html`<${Ask} store=${store} user=${user} onClose=${close} />`}`
}

class Ask extends Component {
  state = { wording: '' }

  /** The button that opened it may be gone by then: the keyboard goes on where one writes. */
  componentWillUnmount() {
    setTimeout(() => {
      if (document.activeElement === document.body) document.querySelector('.composer textarea')?.focus()
    })
  }

  send = (event) => {
    event.preventDefault()
    const { store, user } = this.props
    store.people.addFriend(user, this.state.wording.trim())
    store.set({ dialog: null })
  }

  render({ store, user, onClose }, { wording }) {
    return html`
      <${Dialog} title="Friend request" onClose=${onClose}>
        <form onSubmit=${this.send}>
          <label><span>What do you want to say to <${Name}>${store.nameOf(user)}</${Name}>?</span>
            <input type="text" autofocus maxlength="200" placeholder="Hello, it is me" value=${wording} onInput=${(event) => this.setState({ wording: event.target.value })} />
          </label>
          <p class="buttons"><button type="submit" class="primary">Send the request</button></p>
        </form>
      </${Dialog}>`
  }
}
