// How it goes right now.
import { fill, h } from "../parts/dom.js";
import { count, duration, rate } from "../parts/format.js";
import { loading } from "../parts/states.js";

export function show({ main, live, signal }) {
  const cards = h("div", { class: "cards" }, loading());
  fill(main, h("h1", {}, "Overview"), cards);
  live.on("lane_loads", (loads) => fill(cards, Object.entries(loads).map(lane)), signal);
}

const lane = ([name, load]) => h(
  "section", { class: "card" },
  h("h2", {}, `${name} lane`),
  h("div", { class: "figure" }, load.queued ? duration(load.oldest_seconds) : "nothing waits"),
  h("p", { class: "note" }, load.queued ? `the oldest of ${count(load.queued)} that wait; ` : "", `${rate(load.drained_per_second)} answered`),
);
