// What the bot does, as the server tells it (Server-Sent Events). Followed only while somebody looks: a browser opens six
// connections to a server at most, and six tabs that follow would leave none for the seventh.

const KEPT = 200
const AGAIN_MS = 3000 // after a refusal; and how long a break may be before it is one

export class Feed {
  #changed
  #source = null
  #timer = 0

  constructor(changed) {
    this.#changed = changed
    this.entries = [] // newest first
    this.open = false
  }

  follow() {
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#rest() : this.#open()))
    if (!document.hidden) this.#open()
  }

  #open() {
    this.#rest()
    const source = (this.#source = new EventSource('/page/feed'))
    source.onopen = () => {
      this.#wait(null)
      this.#is(true)
    }
    source.onmessage = ({ data, lastEventId }) => this.#take(JSON.parse(data), Number(lastEventId))
    source.onerror = () => {
      // A stream ends now and then and comes back by itself.
      if (source.readyState !== EventSource.CLOSED) return this.#timer || this.#wait(() => this.#is(false))
      this.#is(false)
      return this.#wait(() => this.#open())
    }
  }

  #rest() {
    this.#wait(null)
    this.#source?.close()
    this.#source = null
  }

  #take(entry, number) {
    if (this.entries[0] && number <= this.entries[0].number) this.entries = [] // from the beginning: another server, or another stream
    this.entries = [{ ...entry, number }, ...this.entries].slice(0, KEPT)
    this.#changed()
  }

  #wait(then) {
    clearTimeout(this.#timer)
    this.#timer = then ? setTimeout(then, AGAIN_MS) : 0
  }

  #is(open) {
    if (this.open === open) return
    this.open = open
    this.#changed()
  }
}
