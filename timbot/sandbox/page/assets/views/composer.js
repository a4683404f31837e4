// Where a message is written: text, a picture, a roll of the dice, somebody's name.

import { TEXT_BYTES } from '../chats.js'
import { ACCEPTED, sendPicture } from '../upload.js'
import { Component, Icon, IconButton, Name, createRef, html } from './html.js'

const LINES_HIGH = 8

export class Composer extends Component {
  state = { words: this.props.chat.draft, choosing: false, over: false }
  field = createRef()
  file = createRef()

  componentDidMount() {
    if (matchMedia('(min-width: 800px)').matches) this.field.current.focus()
  }

  componentWillUnmount() {
    this.props.chat.draft = this.state.words
  }

  write = (event) => this.setState({ words: event.target.value })

  key = (event) => {
    if (event.key === 'Escape' && this.state.choosing) this.setState({ choosing: false })
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    this.send()
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
    this.setState({ words: '', choosing: false })
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
    const words = this.state.words
    const name = member.nick || member.user
    this.setState({ words: `${words}${words && !/\s$/.test(words) ? ' ' : ''}@${name} `, choosing: false })
    this.field.current.focus()
  }

  render({ store, chat }, { words, choosing, over }) {
    const others = chat.members.filter(({ user }) => user !== store.me)
    return html`
      <form class=${over ? 'composer over' : 'composer'} onSubmit=${this.submit} onDragOver=${this.dragged} onDragLeave=${this.dragged} onDrop=${this.dropped}>
        ${choosing && html`
          <ul class="members" id="members" aria-label="Members">${others.map((member) => html`
            <li key=${member.user}><button type="button" onClick=${() => this.mention(member)}>@<${Name}>${member.nick || member.user}</${Name}></button></li>`)}
            ${!others.length && html`<li class="hint">Nobody else is here.</li>`}</ul>`}
        <div class="tools">
          <${IconButton} icon="image" label="Send a picture" onClick=${() => this.file.current.click()} />
          <input ref=${this.file} type="file" hidden multiple accept=${ACCEPTED} onChange=${this.chosen} aria-label="Pictures" tabindex="-1" />
          <${IconButton} icon="dice" label="Roll the dice" onClick=${() => store.chats.rollDice(chat)} />
          ${chat.type === 'GROUP' && html`
            <${IconButton} icon="at" label="Mention somebody" aria-expanded=${String(choosing)} aria-controls="members" onClick=${() => this.setState({ choosing: !choosing })} />`}
        </div>
        <textarea ref=${this.field} rows=${Math.min(LINES_HIGH, words.split('\n').length)} aria-label="Message" placeholder="Write a message" dir="auto"
          value=${words} onInput=${this.write} onKeyDown=${this.key} onPaste=${this.pasted} />
        <button type="submit" class="primary send" aria-label="Send" title="Send (Enter)" disabled=${!words.trim()}><${Icon} name="send" /></button>
      </form>`
  }
}
