// The messages, the latest first; and one of them, with where its time went.
import { fill, h } from "../parts/dom.js";
import { count, duration, moment, money } from "../parts/format.js";
import { filters } from "../parts/filters.js";
import { follow, settle } from "../parts/states.js";
import { pagedTable } from "../parts/table.js";
import { between, named, stateTag } from "../parts/words.js";
import { get } from "../shell/api.js";
import { link } from "../shell/place.js";
import { drawMessage } from "./message.js";

const STATES = ["queued", "in_progress", "requires_action", "completed", "failed", "cancelled", "incomplete"];
const OPEN = ["queued", "in_progress", "requires_action"];
const LANES = ["interactive", "standard", "batch"];
const MOST_EMPTY = 20;

const columns = [
  { title: "accepted", cell: (row) => moment(row.accepted_at) },
  { title: "state", cell: (row) => h("span", {}, stateTag(row.state), row.error_code && h("span", { class: "note" }, ` ${row.error_code}`)) },
  { title: "tenant", text: true, cell: (row) => row.tenant },
  { title: "lane", cell: (row) => row.lane },
  { title: "model", text: true, cell: (row) => row.model ?? "—" },
  { title: "answered by", text: true, cell: (row) => row.answered_by ?? "—" },
  { title: "waited", number: true, cell: (row) => duration(between(row.accepted_at, row.claimed_at ?? row.finished_at)) },
  { title: "took", number: true, cell: (row) => row.finished_at && row.state !== "requires_action" ? duration(between(row.accepted_at, row.finished_at)) : "—" },
  { title: "in", number: true, cell: (row) => count(row.input_tokens) },
  { title: "cached", number: true, cell: (row) => count(row.cached_tokens) },
  { title: "out", number: true, cell: (row) => count(row.output_tokens) },
  { title: "cost", number: true, cell: (row) => money(row.cost) },
  { title: "turns", number: true, cell: (row) => row.attempt },
  { title: "conversation", text: true, cell: (row) => row.conversation_id ? h("a", { href: link("messages", { conversation: row.conversation_id, tenant: row.tenant_id }) }, row.conversation_id) : "—" },
];

export function show(place) {
  return place.parts.length ? one(place) : all(place);
}

function all(place) {
  const { main, query, signal } = place;
  const found = query.get("find");
  if (found) {
    location.replace(/^(resp_|chatcmpl-)/.test(found) ? link("messages", found) : link("messages", { conversation: found }));
    return;
  }
  const asked = Object.fromEntries(query);
  for (const name of ["since", "until"]) if (asked[name]) asked[name] = iso(asked[name]);
  const note = h("p", { class: "note", role: "status" });
  const list = pagedTable({
    columns, caption: "Messages", key: (row) => row.id, href: (row) => link("messages", row.id),
    load: (before) => look(before, asked, note, signal),
    nothing: "No message was found.", hint: "Other filters, or an earlier time, may find one.",
  });
  fill(
    main,
    h("h1", {}, "Messages"),
    filters(place, [
      { name: "find", label: "id or conversation", wide: true, placeholder: "resp_… or conv_…" },
      { name: "tenant", label: "tenant" },
      { name: "user_id", label: "user" },
      { name: "state", label: "state", kind: "select", options: STATES.map((each) => [each, each.replaceAll("_", " ")]) },
      { name: "lane", label: "lane", kind: "select", options: LANES.map((each) => [each]) },
      { name: "model", label: "model that answered" },
      { name: "since", label: "since", placeholder: "2026-01-31 12:00" },
      { name: "until", label: "until", placeholder: "2026-01-31 13:00" },
    ]),
    h("div", { class: "card" }, list.element, note),
  );
  follow(() => { if (list.pages() < 2) list.refresh(); }, signal, 3000);
}

// A page looks at some thousands of messages: where it found none, the next ones are looked at.
async function look(before, asked, note, signal) {
  let page = named(await get("messages", { ...asked, before }, signal));
  for (let turn = 0; page.next && !page.rows.length && turn < MOST_EMPTY; turn += 1) {
    fill(note, `Looked back to ${moment(page.looked_back_to)} …`);
    page = named(await get("messages", { ...asked, before: page.next }, signal));
  }
  fill(note, page.next && page.looked_back_to ? `Looked back to ${moment(page.looked_back_to)}.` : "");
  if (page.next && !page.rows.length) {
    const until = page.looked_back_to;
    fill(note, `Nothing back to ${moment(until)}. `, h("a", { href: link("messages", { ...asked, until }) }, "Look on from there"));
  }
  return page;
}

// What is typed is in the time of who looks.
function iso(text) {
  const at = new Date(text.includes("T") ? text : text.replace(" ", "T"));
  return Number.isNaN(at.getTime()) ? text : at.toISOString();
}

function one({ main, parts, signal }) {
  const holder = h("div");
  fill(main, h("div", { class: "head" }, h("h1", {}, "Message"), h("span", { class: "mono" }, parts[0])), holder);
  let isOpen = true;
  const load = async () => {
    const told = await get(`messages/${encodeURIComponent(parts[0])}`, {}, signal);
    isOpen = OPEN.includes(told.message?.state);
    return told;
  };
  settle(holder, load, drawMessage);
  follow(() => { if (isOpen) settle(holder, load, drawMessage, { quiet: true }); return isOpen; }, signal);
}
