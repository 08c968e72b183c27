// Batches: how far each is, what it costs, when it will have ended.
import { fill, h } from "../parts/dom.js";
import { ask } from "../parts/dialog.js";
import { count, duration, moment, money } from "../parts/format.js";
import { filters } from "../parts/filters.js";
import { say } from "../parts/said.js";
import { follow, settle } from "../parts/states.js";
import { pagedTable, table } from "../parts/table.js";
import { between, facts, named, scroller, stateTag, tenantName, theRow } from "../parts/words.js";
import { act, address, get } from "../shell/api.js";
import { link } from "../shell/place.js";

const OPEN = ["validating", "in_progress", "finalizing", "cancelling"];
const about = (row, text) => row.is_sampled ? `about ${text}` : text;
const unanswered = (counts) => counts.failed + counts.expired + counts.cancelled;

const columns = [
  { title: "made", cell: (row) => moment(row.created_at) },
  { title: "state", cell: (row) => stateTag(row.state) },
  { title: "tenant", text: true, cell: (row) => row.tenant },
  { title: "progress", cell: (row) => progress(row) },
  { title: "failed", number: true, cell: (row) => about(row, count(unanswered(row.counts))) },
  { title: "cost so far", number: true, cell: (row) => about(row, money(row.cost)) },
  { title: "at the end", number: true, cell: (row) => row.cost_at_end === null ? "unknown" : about(row, money(row.cost_at_end)) },
  { title: "ends in", number: true, cell: (row) => ending(row) },
  { title: "batch", text: true, cell: (row) => h("span", { class: "mono" }, row.id) },
];

function progress(row) {
  const { counts } = row;
  const ended = counts.completed + unanswered(counts);
  const share = counts.total ? (100 * ended) / counts.total : 0;
  return h("div", {}, about(row, `${count(ended)} of ${row.total === null ? "?" : count(row.total)}`), h("div", { class: "bar" }, h("div", { class: unanswered(counts) ? "warn" : "", style: { width: `${share}%` } })));
}

function ending(row) {
  if (!OPEN.includes(row.state)) return `ended ${moment(row.ended_at)}`;
  return row.ends_at ? duration(Math.max(0, -between(row.ends_at, null))) : "unknown";
}

export function show(place) {
  return place.parts.length ? one(place) : all(place);
}

function all(place) {
  const { main, query, signal } = place;
  const list = pagedTable({
    columns, caption: "Batches", key: (row) => row.id, href: (row) => link("batches", row.id),
    load: async (before) => named(await get("batches", { ...Object.fromEntries(query), before, limit: 25 }, signal)),
    nothing: "There are no batches.", hint: "Ask for one: forebay batch submit FILE",
  });
  fill(main, h("h1", {}, "Batches"), filters(place, [{ name: "tenant", label: "tenant" }]), h("div", { class: "card" }, list.element));
  follow(() => { list.refresh(); }, signal);
}

function one({ main, parts, signal, may }) {
  const holder = h("div"), path = `batches/${encodeURIComponent(parts[0])}`;
  let state = "validating";
  const load = async () => { const row = theRow(await get(path, {}, signal)); state = row.state; return row; };
  const draw = (row) => drawBatch(row, path, may("operator") && cancel);
  const cancel = async () => {
    if (!await ask({ title: "Cancel this batch?", text: "What was not begun of it never is. What has ended keeps its result.", confirm: "Cancel the batch", danger: true })) return;
    try {
      const row = theRow(await act("POST", `${path}/cancel`));
      say(`The batch is ${row.state}.`);
    } catch (refusal) {
      say(refusal.message);
    }
    settle(holder, load, draw, { quiet: true });
  };
  fill(main, h("div", { class: "head" }, h("h1", {}, "Batch"), h("span", { class: "mono" }, parts[0])), holder);
  settle(holder, load, draw);
  follow(() => { settle(holder, load, draw, { quiet: true }); return OPEN.includes(state); }, signal);
}

function drawBatch(row, path, cancel) {
  const isOpen = OPEN.includes(row.state);
  const download = (kind, words) => h("a", { class: "button", href: address(`${path}/results?kind=${kind}`).href, download: "" }, words);
  return h(
    "div", { class: "card" },
    facts([
      ["state", stateTag(row.state)],
      ["progress", progress(row)],
      ["answered", about(row, count(row.counts.completed))],
      ["failed", about(row, count(row.counts.failed))],
      ["expired", row.counts.expired ? `${about(row, count(row.counts.expired))}: their time ended before they were answered` : "0"],
      ["cancelled", about(row, count(row.counts.cancelled))],
      ["cost so far", about(row, money(row.cost))],
      ["cost at the end", row.cost_at_end === null ? "unknown" : about(row, money(row.cost_at_end))],
      [OPEN.includes(row.state) ? "ends in" : "ended", OPEN.includes(row.state) ? ending(row) : moment(row.ended_at)],
      ["time ends", moment(row.expires_at)],
      ["made", moment(row.created_at)],
      ["requests to", row.endpoint],
      ["model", row.model],
      ["tenant", tenantName(row)],
    ]),
    row.is_sampled && h("p", { class: "note" }, "A large batch that runs is told by some of its lines."),
    h("div", { class: "acts" }, download("output", "Download answers"), download("errors", "Download errors"), cancel && isOpen && row.state !== "cancelling" && h("button", { type: "button", class: "danger", onclick: cancel }, "Cancel the batch")),
    row.faults.length > 0 && scroller("Faults", table(faults, row.faults, { caption: "Faults" })),
  );
}

const faults = [
  { title: "line", number: true, cell: (fault) => fault.line ?? "—" },
  { title: "code", cell: (fault) => fault.code },
  { title: "what is wrong", text: true, cell: (fault) => fault.message },
];
