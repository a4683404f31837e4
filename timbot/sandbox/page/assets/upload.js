// Pictures: looked at, uploaded, and put into a message as the vendor's SDK does it.

const LARGEST = 20 * 1024 * 1024
const FORMATS = { 'image/jpeg': 1, 'image/gif': 2, 'image/png': 3, 'image/bmp': 4 }
const RENDITIONS = [[1, 0], [2, 720], [3, 198]] // type, and its shorter side: original, large, thumbnail

export const ACCEPTED = Object.keys(FORMATS).join(',')

/** Why a file cannot be sent as a picture; empty if it can. */
export function complaint(file) {
  if (!FORMATS[file.type]) return `“${file.name}” is not a picture that can be sent. JPEG, PNG, GIF and BMP can.`
  if (!file.size) return `“${file.name}” is empty.`
  return file.size >= LARGEST ? `“${file.name}” is too large: pictures have less than 20 MB.` : ''
}

/** Sends a picture to a conversation; until it is uploaded the bubble shows the file itself. */
export async function sendPicture(store, chat, file) {
  const wrong = complaint(file)
  if (wrong) return store.toast(wrong, 'error')
  const size = await measure(file)
  if (!size) return store.toast(`“${file.name}” cannot be read as a picture.`, 'error')
  const preview = URL.createObjectURL(file)
  const element = { type: 'TIMImageElem', content: contentOf(store, file, size, ''), preview }
  const message = { prepare: (sent) => upload(store, file, size, sent), release: () => URL.revokeObjectURL(preview) }
  return store.chats.sendPrepared(chat, [element], message)
}

async function upload(store, file, size, message) {
  const [element] = message.elements
  if (element.content.ImageInfoArray[0].URL) return // a retry: the file is there already
  const name = `${randomHex(32)}-${Math.floor(Math.random() * 1e6)}`
  const permit = await store.session.request(
    'im_cos_msg.pre_sig', { file_type: 1, file_name: name, upload_method: 0, Duration: 900 }, { signed: true },
  )
  const answer = await fetch(permit.upload_url, { method: 'PUT', body: file, headers: { 'Content-Type': file.type } }).catch(() => null)
  if (!answer) throw new Error('The upload broke off.')
  if (!answer.ok) throw new Error(`The server did not take the picture: ${await answer.text()}`)
  element.content = contentOf(store, file, size, permit.download_url)
}

async function measure(file) {
  try {
    const bitmap = await createImageBitmap(file)
    const { width, height } = bitmap
    bitmap.close()
    return { width, height }
  } catch {
    return null
  }
}

function contentOf(store, file, { width, height }, address) {
  const infos = RENDITIONS.map(([type, side]) => {
    const scale = side ? Math.min(1, side / Math.min(width, height)) : 1
    const query = side && address ? `?imageView2/3/w/${side}/h/${side}` : ''
    return {
      Type: type, Size: side ? 0 : file.size, Width: Math.round(width * scale), Height: Math.round(height * scale), URL: address && address + query,
    }
  })
  const { sdkAppId } = store.state.setup
  return { UUID: `${sdkAppId}-${store.me}-${randomHex(32)}`, ImageFormat: FORMATS[file.type] ?? 255, ImageInfoArray: infos }
}

function randomHex(digits) {
  return [...crypto.getRandomValues(new Uint8Array(digits / 2))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
