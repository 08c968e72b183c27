// Collections: how much is in each, what failed, up to when it is indexed.
import { fill, h } from "../parts/dom.js";
import { bytes, count, duration, moment } from "../parts/format.js";
import { filters } from "../parts/filters.js";
import { follow, settle } from "../parts/states.js";
import { pagedTable, table } from "../parts/table.js";
import { between, facts, named, scroller, tenantName, theRow } from "../parts/words.js";
import { get } from "../shell/api.js";
import { link } from "../shell/place.js";

const atLeast = (row, text) => row.is_cut ? `${text}+` : text;

const columns = [
  { title: "name", text: true, cell: (row) => row.name },
  { title: "tenant", text: true, cell: (row) => row.tenant },
  { title: "documents", number: true, cell: (row) => atLeast(row, count(row.documents)) },
  { title: "chunks", number: true, cell: (row) => atLeast(row, count(row.passages)) },
  { title: "size", number: true, cell: (row) => atLeast(row, bytes(row.usage_bytes)) },
  { title: "waiting", number: true, cell: (row) => count((row.by_state.pending ?? 0) + (row.by_state.in_progress ?? 0)) },
  { title: "failed", number: true, cell: (row) => h("span", { class: row.by_state.failed ? "bad" : "" }, count(row.by_state.failed ?? 0)) },
  { title: "indexed through", text: true, cell: (row) => row.sources.length ? fresh(row.sources[0]) : "—" },
  { title: "generation", cell: (row) => row.next_generation ? `${row.generation}, ${row.next_generation} is built` : row.generation || "none yet" },
];

const fresh = (source) => source.commit_id ? `${source.commit_id.slice(0, 10)} (${moment(source.indexed_through)})` : moment(source.indexed_through);

export function show(place) {
  return place.parts.length ? one(place) : all(place);
}

function all(place) {
  const { main, query, signal } = place;
  const list = pagedTable({
    columns, caption: "Collections", key: (row) => row.id, href: (row) => link("collections", row.id),
    load: async (before) => named(await get("collections", { ...Object.fromEntries(query), before, limit: 25 }, signal)),
    nothing: "There are no collections.", hint: "Make one: forebay index FOLDER",
  });
  fill(main, h("h1", {}, "Collections"), filters(place, [{ name: "tenant", label: "tenant" }]), h("div", { class: "card" }, list.element));
  follow(() => { list.refresh(); }, signal, 5000);
}

const sources = [
  { title: "source", text: true, cell: (row) => row.source },
  { title: "branch", text: true, cell: (row) => row.branch ?? "—" },
  { title: "commit", cell: (row) => h("span", { class: "mono" }, row.commit_id ?? "—") },
  { title: "indexed through", cell: (row) => moment(row.indexed_through) },
  { title: "time since", number: true, cell: (row) => row.indexed_through ? duration(between(row.indexed_through, null)) : "never indexed whole" },
];

function one({ main, parts, signal }) {
  const holder = h("div");
  fill(main, h("div", { class: "head" }, h("h1", {}, "Collection"), h("span", { class: "mono" }, parts[0])), holder);
  settle(holder, () => get(`collections/${encodeURIComponent(parts[0])}`, {}, signal), ({ named: page, failures }) => drawCollection(theRow(page), failures));
}

function drawCollection(row, failures) {
  return [
    h("div", { class: "card" }, facts([
      ["name", row.name], ["tenant", tenantName(row)], ["made", moment(row.created_at)], ["expires", row.expires_at && moment(row.expires_at)],
      ["documents", atLeast(row, count(row.documents))],
      ...Object.entries(row.by_state).map(([state, number]) => [state.replaceAll("_", " "), count(number)]),
      ["chunks", atLeast(row, count(row.passages))], ["size", atLeast(row, bytes(row.usage_bytes))],
      ["generation", row.generation || "none yet"], ["built beside it", row.next_generation],
      ...Object.entries(failures).map(([reason, number]) => [`failed: ${reason.replaceAll("_", " ")}`, count(number)]),
    ])),
    row.sources.length > 0 && h("div", { class: "card" }, scroller("Sources", table(sources, row.sources, { caption: "Sources" }))),
  ];
}
