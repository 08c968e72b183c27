// One stream of the door for the whole page. A browser gives a stream up for good when it is
// refused once: then it is made anew, later each time. A page that nobody sees has none.
import { address } from "./api.js";

const FIRST_PAUSE = 1000, LONGEST_PAUSE = 15000, SILENCE = 6000;

export class Live {
  #source = null;
  #pause = FIRST_PAUSE;
  #timer = null;
  #watch = null;
  #heard = 0;
  #last = new Map();
  #listeners = new Map();

  constructor(shown) {
    this.shown = shown;
    document.addEventListener("visibilitychange", () => document.hidden ? this.#leave() : this.#open());
  }

  start() {
    this.#running = true;
    this.#open();
  }
  #running = false;

  stop() {
    this.#running = false;
    this.#last.clear();
    this.#leave();
  }

  /** Call `listener(value)` with what is known of the topic, and with what becomes known. */
  on(topic, listener, signal) {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
    signal?.addEventListener("abort", () => listeners.delete(listener));
    if (this.#last.has(topic)) listener(this.#last.get(topic));
  }

  #open() {
    if (!this.#running || this.#source || document.hidden) return;
    clearTimeout(this.#timer);
    const source = new EventSource(address("live"));
    this.#source = source;
    this.#heard = performance.now();
    source.addEventListener("beat", () => this.#beat());
    source.onerror = () => this.#lost(source);
    source.addEventListener("news", (event) => this.#tell(JSON.parse(event.data)));
    this.#watch ??= setInterval(() => this.#listen(), 1000);
  }

  #tell(news) {
    for (const [topic, value] of Object.entries(news)) {
      this.#last.set(topic, value);
      for (const listener of this.#listeners.get(topic) ?? []) listener(value);
    }
  }

  #beat() {
    this.#heard = performance.now();
    this.#pause = FIRST_PAUSE;
    this.#show("live", "live, 1 s");
  }

  // By a clock that never jumps. A connection that says nothing is lost as well, whatever the browser thinks of it.
  #listen() {
    if (this.#source && performance.now() - this.#heard > SILENCE) this.#lost(this.#source);
  }

  #lost(source) {
    if (source !== this.#source) return;
    this.#leave();
    if (!this.#running) return;
    this.#show("lost", "reconnecting");
    dispatchEvent(new Event("stream-lost"));
    this.#timer = setTimeout(() => this.#open(), this.#pause);
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
  }

  #leave() {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#watch = null;
    this.#source?.close();
    this.#source = null;
  }

  #show(state, words) {
    if (this.shown.dataset.state === state) return;
    this.shown.dataset.state = state;
    this.shown.textContent = words;
  }
}
