// The chain of providers, and how their breakers stand.
import { fill, h } from "../parts/dom.js";
import { count, duration, percent } from "../parts/format.js";
import { empty, loading } from "../parts/states.js";
import { table } from "../parts/table.js";

const STATES = { closed: ["good", "closed"], "half-open": ["warn", "probing"], open: ["bad", "open"] };

const columns = [
  { title: "provider / model", cell: (row) => row.name },
  { title: "kind", cell: (row) => row.kind ?? h("span", { class: "quiet" }, "no longer set") },
  { title: "breaker", cell: (row) => state(row) },
  { title: "calls lately", number: true, cell: (row) => count(row.calls) },
  { title: "failed", number: true, cell: (row) => row.calls ? percent(row.failures / row.calls) : "—" },
];

export function show({ main, live, signal }) {
  const holder = h("div", { class: "card" }, loading());
  fill(main, h("h1", {}, "Providers"), holder);
  live.on("providers", (rows) => fill(holder, draw(rows)), signal);
}

function draw(rows) {
  if (!rows.length) return empty("No provider is set.", "Name one under [[providers]] in forebay.toml.");
  return h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": "Providers" }, table(columns, rows, { caption: "Providers" }));
}

function state(row) {
  const [tone, words] = STATES[row.state];
  const left = row.state === "open" && row.seconds_left ? `, ${duration(row.seconds_left)} left` : "";
  return h("span", { class: `tag ${tone}` }, words + left);
}
