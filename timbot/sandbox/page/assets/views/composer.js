// Where a message is written: text, a picture, a roll of the dice, somebody's name.

import { TEXT_BYTES } from '../chats.js'
import { ACCEPTED, sendPicture } from '../upload.js'
import { meant, nameBegun } from '../words.js'
import { Component, Icon, IconButton, Name, createRef, html } from './html.js'

const LINES_HIGH = 8
const MOST_NAMES = 50 // shown at a time

export class Composer extends Component {
  /** `choosing`: whether the button has opened the list of members; `begun`: the name that is being written, which opens it too. */
  state = { words: this.props.chat.draft, choosing: false, begun: null, chosen: 0, over: false }
  closedAt = -1 // where the name begins whose list was closed by Escape
  field = createRef()
  file = createRef()

  componentDidMount() {
    if (matchMedia('(min-width: 800px)').matches) this.field.current.focus()
  }

  componentWillUnmount() {
    this.props.chat.draft = this.state.words
  }

  write = (event) => {
    const { value, selectionStart } = event.target
    let begun = this.props.chat.type === 'GROUP' ? nameBegun(value, selectionStart) : null
    if (begun?.at === this.closedAt) begun = null
    else this.closedAt = -1
    this.setState({ words: value, begun, chosen: 0 }, () => begun && this.sayChosen())
  }

  key = (event) => {
    if (event.isComposing) return
    const listed = this.state.begun ? this.listed() : []
    if (event.key === 'Escape' && (this.state.choosing || listed.length)) {
      this.closedAt = this.state.begun?.at ?? -1
      return this.setState({ choosing: false, begun: null })
    }
    if (listed.length && ['ArrowDown', 'ArrowUp'].includes(event.key)) {
      event.preventDefault()
      const step = event.key === 'ArrowDown' ? 1 : listed.length - 1
      return this.setState({ chosen: (this.state.chosen + step) % listed.length }, () => this.sayChosen())
    }
    if (!['Enter', 'Tab'].includes(event.key) || event.shiftKey || (event.key === 'Tab' && !listed.length)) return
    event.preventDefault()
    if (listed.length) this.mention(listed[this.state.chosen] ?? listed[0])
    else this.send()
  }

  /** The cursor has gone somewhere else: the name is not being written any more. */
  moved = (event) => {
    const { begun, words } = this.state
    if (begun && nameBegun(words, event.target.selectionStart)?.at !== begun.at) this.setState({ begun: null })
  }

  /** The members in the list: the bots first, and while a name is written those it may be of. */
  listed() {
    const { store, chat } = this.props
    const { bots } = store.state.setup
    const others = chat.members.filter(({ user }) => user !== store.me)
    const { begun } = this.state
    return (begun ? meant(begun.begun, others) : others).sort((a, b) => bots.includes(b.user) - bots.includes(a.user)).slice(0, MOST_NAMES)
  }

  /** For who does not see the list. */
  sayChosen() {
    const listed = this.listed()
    const one = listed[this.state.chosen]
    if (one) this.props.store.say(`@${one.nick || one.user}, ${this.state.chosen + 1} of ${listed.length}. Enter takes it.`)
    document.querySelector('.members .chosen')?.scrollIntoView({ block: 'nearest' })
  }

  submit = (event) => {
    event.preventDefault()
    this.send()
    this.field.current.focus()
  }

  send() {
    const { store, chat } = this.props
    const words = this.state.words.trim()
    if (!words) return
    if (new TextEncoder().encode(words).length > TEXT_BYTES) {
      store.toast('This is too long for one message: 12 KB fit in.', 'error')
      return
    }
    store.chats.sendText(chat, words)
    this.setState({ words: '', choosing: false, begun: null })
  }

  pictures(files) {
    const { store, chat } = this.props
    for (const file of [...files].slice(0, 9)) sendPicture(store, chat, file)
  }

  chosen = (event) => {
    this.pictures(event.target.files)
    event.target.value = ''
  }

  pasted = (event) => {
    const files = [...event.clipboardData.files]
    if (!files.length) return
    event.preventDefault()
    this.pictures(files)
  }

  dragged = (event) => {
    if (![...event.dataTransfer.types].includes('Files')) return
    event.preventDefault()
    this.setState({ over: event.type === 'dragover' })
  }

  dropped = (event) => {
    event.preventDefault()
    this.setState({ over: false })
    this.pictures(event.dataTransfer.files)
  }

  mention(member) {
    const { words, begun } = this.state
    const name = `@${member.nick || member.user} `
    const before = begun ? words.slice(0, begun.at) : `${words}${words && !/\s$/.test(words) ? ' ' : ''}`
    const after = begun ? words.slice(begun.at + 1 + begun.begun.length).replace(/^ /, '') : ''
    const field = this.field.current
    this.setState({ words: before + name + after, choosing: false, begun: null }, () => field.setSelectionRange((before + name).length, (before + name).length))
    field.focus()
  }

  render({ store, chat }, { words, choosing, begun, chosen, over }) {
    const listed = choosing || begun ? this.listed() : []
    const bot = chat.type === 'GROUP' && store.chats.botIn(chat)
    return html`
      <form class=${over ? 'composer over' : 'composer'} onSubmit=${this.submit} onDragOver=${this.dragged} onDragLeave=${this.dragged} onDrop=${this.dropped}>
        ${(choosing || listed.length > 0) && html`
          <ul class="members" id="members" aria-label="Members">${listed.map((member, place) => html`
            <li key=${member.user}><button type="button" class=${begun && place === chosen ? 'chosen' : ''} onClick=${() => this.mention(member)}><${Name}>@${member.nick || member.user}</${Name}></button></li>`)}
            ${!listed.length && html`<li class="hint">Nobody else is here.</li>`}</ul>`}
        ${bot && html`<p class="hint manners" id="manners"><${Name}>${store.nameOf(bot)}</${Name}> answers here when it is mentioned (type @), or to a command such as /dice.</p>`}
        <div class="tools">
          <${IconButton} icon="image" label="Send a picture" onClick=${() => this.file.current.click()} />
          <input ref=${this.file} type="file" hidden multiple accept=${ACCEPTED} onChange=${this.chosen} aria-label="Pictures" tabindex="-1" />
          <${IconButton} icon="dice" label="Roll the dice" onClick=${() => store.chats.rollDice(chat)} />
          ${chat.type === 'GROUP' && html`
            <${IconButton} icon="at" label="Mention somebody" aria-expanded=${String(choosing)} aria-controls="members" onClick=${() => this.setState({ choosing: !choosing, begun: null })} />`}
        </div>
        <textarea ref=${this.field} rows=${Math.min(LINES_HIGH, words.split('\n').length)} aria-label="Message" placeholder="Write a message" dir="auto" aria-describedby=${bot ? 'manners' : undefined}
          value=${words} onInput=${this.write} onKeyDown=${this.key} onKeyUp=${this.moved} onClick=${this.moved} onPaste=${this.pasted} />
        <button type="submit" class="primary send" aria-label="Send" title="Send (Enter)" disabled=${!words.trim()}><${Icon} name="send" /></button>
      </form>`
  }
}
