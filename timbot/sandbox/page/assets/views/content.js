// What is in a message, one element at a time. Everything that came from somebody is a text node; addresses are http or https.

import { linked, ownFile, sizeOf, webAddress } from '../words.js'
import { dieOf, isDice, listOf, nameFrom, numberOf, recordOf, textOf } from '../wire.js'
import { Name, html } from './html.js'

export function Content({ element, store }) {
  if (isDice(element)) return html`<${Die} face=${dieOf(element.content)} />`
  const View = VIEWS[element.type] ?? Unknown
  return html`<${View} element=${element} content=${element.content} store=${store} />`
}

const Link = ({ href, children }) => html`<a href=${href} target="_blank" rel="noopener noreferrer">${children}</a>`

const Text = ({ content }) =>
  html`<p class="text">${linked(textOf(content.Text)).map((part) => (part.href ? html`<${Link} href=${part.href}>${part.text}</${Link}>` : part.text))}</p>`

const PIPS = { 1: [[2, 2]], 2: [[1, 1], [3, 3]], 3: [[1, 1], [2, 2], [3, 3]], 4: [[1, 1], [1, 3], [3, 1], [3, 3]], 5: [[1, 1], [1, 3], [2, 2], [3, 1], [3, 3]], 6: [[1, 1], [1, 2], [1, 3], [3, 1], [3, 2], [3, 3]] }

function Die({ face }) {
  if (!face) return html`<p class="text">🎲 Rolls the dice</p>`
  return html`
    <svg class="die" viewBox="0 0 64 64" role="img" aria-label=${`Die: ${face}`}>
      <rect x="3" y="3" width="58" height="58" rx="12" />
      ${PIPS[face].map(([x, y]) => html`<circle cx=${6 + x * 13} cy=${6 + y * 13} r="5" />`)}
    </svg>`
}

const Face = ({ content }) => html`<p class="text"><span aria-hidden="true">🙂 </span>Face ${textOf(content.Index)}${content.Data ? html` <${Name}>${textOf(content.Data)}</${Name}>` : ''}</p>`

function Image({ element, content, store }) {
  const infos = listOf(content.ImageInfoArray).map(recordOf)
  const [original = {}] = infos
  const [width, height] = [numberOf(original.Width), numberOf(original.Height)]
  const shown = element.preview || ownFile(infos[2]?.URL) || ownFile(original.URL)
  if (!shown) return html`<${Elsewhere} what="Image" address=${original.URL} />`
  const size = width > 0 && height > 0 ? { width, height } : {}
  const label = size.width ? `Image, ${width} by ${height}` : 'Image'
  return html`
    <button type="button" class="picture" aria-label=${`${label}: show it large`} onClick=${() => store.set({ dialog: { picture: element.preview || ownFile(original.URL) || shown, label } })}>
      <img src=${shown} alt=${label} loading="lazy" ...${size} />
    </button>`
}

/** Something at an address: a link to it, if it is one that may be opened. */
function Elsewhere({ what, address, more = '' }) {
  const own = ownFile(address)
  const url = own ? { href: own } : webAddress(address)
  return html`
    <p class="text">${url ? html`<${Link} href=${url.href}>${what}</${Link}>` : html`${what}`}${more && html` <span class="soft">${more}</span>`}
      ${url?.host && html` <span class="soft">at <${Name}>${url.host}</${Name}></span>`}</p>`
}

const File = ({ content }) =>
  html`<${Elsewhere} what=${html`<span aria-hidden="true">📄 </span><${Name}>${nameFrom(content.FileName) || 'File'}</${Name}>`} address=${content.Url} more=${sizeOf(content.FileSize)} />`

const Sound = ({ content }) =>
  html`<${Elsewhere} what="Voice message" address=${content.Url} more=${numberOf(content.Second) > 0 ? `${content.Second} s` : ''} />`

const Video = ({ content }) =>
  html`<${Elsewhere} what="Video" address=${content.VideoUrl} more=${[numberOf(content.VideoSecond) > 0 && `${content.VideoSecond} s`, sizeOf(content.VideoSize)].filter(Boolean).join(', ')} />`

const Place = ({ content }) => html`
  <p class="text"><span aria-hidden="true">📍 </span><${Name}>${nameFrom(content.Desc) || 'Location'}</${Name}>
    <span class="soft"> ${numberOf(content.Latitude).toFixed(5)}, ${numberOf(content.Longitude).toFixed(5)}</span></p>`

const Merged = ({ content }) => html`
  <div class="text"><strong><${Name}>${nameFrom(content.Title) || 'Messages'}</${Name}></strong>
    ${listOf(content.AbstractList).slice(0, 10).map((text) => html`<p class="soft"><${Name}>${textOf(text)}</${Name}></p>`)}</div>`

const Custom = ({ content }) => html`
  <div class="text custom"><span class="soft">Custom message</span>
    ${['Data', 'Desc', 'Ext'].filter((key) => content[key]).map((key) => html`<p><span class="soft">${key} </span><code><${Name}>${textOf(content[key])}</${Name}></code></p>`)}</div>`

const Unknown = ({ element }) => html`<p class="text soft">This page cannot show a message of the kind <code><${Name}>${element.type || '(none)'}</${Name}></code>.</p>`

const VIEWS = {
  TIMTextElem: Text, TIMFaceElem: Face, TIMImageElem: Image, TIMFileElem: File, TIMSoundElem: Sound, TIMVideoFileElem: Video,
  TIMLocationElem: Place, TIMRelayElem: Merged, TIMCustomElem: Custom,
}
