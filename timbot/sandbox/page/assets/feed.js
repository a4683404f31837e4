// What the bot does, as the server tells it (Server-Sent Events).

const KEPT = 200
const AGAIN_MS = 3000

export class Feed {
  #changed

  constructor(changed) {
    this.#changed = changed
    this.entries = [] // newest first
    this.open = false
  }

  follow() {
    const source = new EventSource('/page/feed')
    source.onopen = () => this.#is(true)
    source.onmessage = ({ data, lastEventId }) => {
      const number = Number(lastEventId)
      if (this.entries[0] && number <= this.entries[0].number) this.entries = [] // another server: it counts from the beginning
      this.entries = [{ ...JSON.parse(data), number }, ...this.entries].slice(0, KEPT)
      this.#changed()
    }
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return // it comes back by itself
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
