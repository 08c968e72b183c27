// What waits in each lane: whose it is, why and how long.
import { fill, h } from "../parts/dom.js";
import { count, duration, percent } from "../parts/format.js";
import { empty, loading } from "../parts/states.js";
import { table } from "../parts/table.js";
import { scroller } from "../parts/words.js";
import { link } from "../shell/place.js";

const eta = (seconds) => seconds === null ? "unknown" : duration(seconds);

const columns = [
  { title: "lane", cell: (row) => row.lane },
  { title: "tenant", text: true, cell: (row) => row.tenant },
  { title: "oldest wait", number: true, cell: (row) => duration(row.oldest_seconds) },
  { title: "drained in", number: true, cell: (row) => eta(row.eta_seconds) },
  { title: "held", number: true, cell: (row) => count(row.backlog) },
  { title: "parked", number: true, cell: (row) => count(row.parked) },
  { title: "units", number: true, cell: (row) => count(row.backlog_units) },
  { title: "share", number: true, cell: (row) => percent(row.share) },
  { title: "why", text: true, cell: (row) => row.reason },
];

export function show({ main, live, signal }) {
  const holder = h("div", {}, loading());
  fill(main, h("h1", {}, "Lanes"), holder);
  live.on("lanes", (view) => fill(holder, draw(view)), signal);
}

function draw(view) {
  if (view.leader === null) return empty("Nobody dispatches: what is accepted goes to the broker at once.", "A worker that leads is started with: forebay worker");
  return [
    h("div", { class: "cards" }, view.lanes.map(lane)),
    h("div", { class: "card" }, view.flows.length
      ? scroller("Flows", table(columns, view.flows, { caption: "Flows", key: (row) => `${row.lane}/${row.tenant_id}`, href: (row) => link("messages", { tenant: row.tenant_id, lane: row.lane, state: "queued" }) }))
      : empty("Nothing is held.", "What is accepted goes to the workers at once.")),
  ];
}

const lane = (each) => h(
  "section", { class: "card" },
  h("h2", {}, `${each.lane} lane`),
  h("div", { class: "figure" }, each.held ? duration(each.oldest_seconds) : "nothing held"),
  h("p", { class: "note" }, each.held ? `the oldest of ${count(each.held)} held, ${count(each.parked)} of them parked; drained in ${eta(each.eta_seconds)}; ` : "", `${count(Math.max(0, each.free))} of ${count(each.slots)} slots free`),
);
