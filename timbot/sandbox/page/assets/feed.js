// What the bot does, as the server tells it (Server-Sent Events).

const KEPT = 200
const AGAIN_MS = 3000 // after a refusal; and how long a break may be before it is one

export class Feed {
  #changed

  constructor(changed) {
    this.#changed = changed
    this.entries = [] // newest first
    this.open = false
  }

  follow() {
    const source = new EventSource('/page/feed')
    let away = 0
    source.onopen = () => {
      clearTimeout(away)
      away = 0
      this.#is(true)
    }
    source.onmessage = ({ data, lastEventId }) => {
      const number = Number(lastEventId)
      if (this.entries[0] && number <= this.entries[0].number) this.entries = [] // another server: it counts from the beginning
      this.entries = [{ ...JSON.parse(data), number }, ...this.entries].slice(0, KEPT)
      this.#changed()
    }
    source.onerror = () => {
      away ||= setTimeout(() => this.#is(false), AGAIN_MS) // a stream ends now and then and comes back by itself
      if (source.readyState !== EventSource.CLOSED) return
      clearTimeout(away)
      this.#is(false)
      setTimeout(() => this.follow(), AGAIN_MS)
    }
  }

  #is(open) {
    if (this.open === open) return
    this.open = open
    this.#changed()
  }
}
