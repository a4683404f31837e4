// Preact and htm put together, and the small pieces that many views use.

import { Component, Fragment, createRef, h, render } from '../vendor/preact.js'
import htm from '../vendor/htm.js'

export { Component, Fragment, createRef, render }
export const html = htm.bind(h)

/** Somebody's name. Names come from people: they are kept from turning the text around them. */
export const Name = ({ children, ...rest }) => html`<bdi ...${rest}>${children}</bdi>`

/** Shows its children, or a word instead of what cannot be drawn: one bad message must not take the page with it. */
export class Safe extends Component {
  static getDerivedStateFromError() {
    return { broken: true }
  }

  render({ children, instead }, { broken }) {
    return broken ? instead : children
  }
}

const COLOURS = 10
const tints = new Map()

/** The colour of a conversation or person: their own, as long as there are enough. */
export function tintOf(id) {
  if (!tints.has(id)) {
    const hash = [...id].reduce((sum, sign) => Math.imul(sum ^ sign.codePointAt(0), 0x01000193) >>> 0, 0x811c9dc5)
    const taken = new Set([...tints.values()].slice(-(COLOURS - 1)))
    let tint = hash % COLOURS
    while (taken.has(tint)) tint = (tint + 1) % COLOURS
    tints.set(id, tint)
  }
  return tints.get(id)
}

export function Avatar({ id, name, group = false, bot = false }) {
  const sign = group ? '#' : ([...name.trim()][0] ?? '?').toUpperCase()
  return html`<span class=${`avatar tint${tintOf(id)} ${bot ? 'bot' : ''}`} aria-hidden="true">${sign}</span>`
}

const PATHS = {
  back: 'M15 5l-7 7 7 7',
  send: 'M4 12l16-8-6 16-3-7-7-1z',
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M9 9.5a.5.5 0 1 1-.01 0',
  dice: 'M5 4h14a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM8.5 8.5v.01M15.5 8.5v.01M12 12v.01M8.5 15.5v.01M15.5 15.5v.01',
  at: 'M12 16a4 4 0 1 1 4-4v1.5a2.5 2.5 0 0 0 5 0V12a9 9 0 1 0-4 7.5M16 8v5',
  panel: 'M4 5h16v14H4zM14 5v14',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c1-4 4-6 8-6 1.500 0 3 .3 4.200.9M18 15v6M15 18h6',
  bin: 'M5 7h14M10 7V5h4v2M7 7l1 13h8l1-13M10 11v5M14 11v5',
  close: 'M6 6l12 12M18 6L6 18',
  leave: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
}

export const Icon = ({ name }) =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`

/** A button that shows only a picture; its name is read out and shown as a hint. */
export const IconButton = ({ icon, label, ...rest }) =>
  html`<button type="button" class="icon-button" aria-label=${label} title=${label} ...${rest}><${Icon} name=${icon} /></button>`

/** A window over the page: the browser keeps the focus in it and closes it on Escape. */
export class Dialog extends Component {
  element = createRef()

  componentDidMount() {
    this.element.current.showModal()
  }

  /** Asked for again before it was taken away. */
  componentDidUpdate() {
    if (!this.element.current.open) this.element.current.showModal()
  }

  render({ title, onClose, children, wide }) {
    const closed = () => this.element.current?.open || onClose()
    const outside = (event) => event.target === this.element.current && onClose()
    return html`
      <dialog ref=${this.element} class=${wide ? 'dialog wide' : 'dialog'} aria-label=${title} onCancel=${onClose} onClose=${closed} onClick=${outside}>
        <div class="dialog-body">
          <header><h2>${title}</h2><${IconButton} icon="close" label="Close" onClick=${onClose} /></header>
          ${children}
        </div>
      </dialog>`
  }
}
