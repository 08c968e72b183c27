// Dead letters: why they will not be answered; several are replayed or discarded at once.
import { fill, h } from "../parts/dom.js";
import { ask } from "../parts/dialog.js";
import { count, moment, shortened } from "../parts/format.js";
import { filters } from "../parts/filters.js";
import { say } from "../parts/said.js";
import { settle } from "../parts/states.js";
import { pagedTable } from "../parts/table.js";
import { facts, named, stateTag, tenantName, theRow } from "../parts/words.js";
import { act, get } from "../shell/api.js";
import { link } from "../shell/place.js";

const REASONS = [
  "attempts_exhausted", "chain_exhausted", "deadline_passed", "delivery_limit", "facts_unavailable", "fault", "invalid", "malformed",
  "previous_response_gone", "provider_refused", "refused", "search_unavailable", "too_large", "unauthenticated", "unknown_task", "unroutable",
];
const AT_ONCE = 100, PAGE = 200, MOST_CHOSEN = 10000;
const EVERYTHING = "Choose all";
const inWords = (reason) => reason.replaceAll("_", " ");

const columns = [
  { title: "since", cell: (row) => moment(row.created_at) },
  { title: "reason", cell: (row) => inWords(row.reason) },
  { title: "detail", text: true, cell: (row) => shortened(row.detail) },
  { title: "tenant", text: true, cell: (row) => row.tenant },
  { title: "state", cell: (row) => stateTag(row.state) },
  { title: "message", text: true, cell: (row) => row.message_id ? h("a", { href: link("messages", row.message_id) }, row.message_id) : `over ${row.queue ?? "a queue"}, never accepted` },
  { title: "replayed as", text: true, cell: (row) => replayed(row) },
];

const replayed = (row) => row.replayed_as?.startsWith("resp_") ? h("a", { href: link("messages", row.replayed_as) }, row.replayed_as) : row.replayed_as ?? "—";

export function show(place) {
  return place.parts.length ? one(place) : all(place);
}

function all(place) {
  const { main, query, signal, live, may, go } = place;
  const counts = h("div", { class: "acts tally" });
  const replay = h("button", { type: "button", class: "main", disabled: true, onclick: () => bulk("replay") }, "Replay");
  const discard = h("button", { type: "button", class: "danger", disabled: true, onclick: () => bulk("discard") }, "Discard");
  const everything = h("button", { type: "button", disabled: true, onclick: choose }, EVERYTHING);
  const list = pagedTable({
    columns, caption: "Dead letters", key: (row) => row.id, href: (row) => link("letters", row.id),
    onselect: may("operator") ? choosing : undefined,
    load: async (before) => named(await get("dead_letters", { ...Object.fromEntries(query), before }, signal)),
    nothing: "There are no dead letters.", hint: "Every message was answered, or waits to be.",
  });

  // Those that are chosen and not shown: "all" may be more than anybody scrolls through.
  let beyond = new Set(), isActing = false;
  const meant = () => [...new Set([...list.chosen(), ...beyond])];
  function chosen() {
    const number = meant().length;
    everything.disabled = isActing || !list.element.querySelector("input[data-key]");
    if (isActing) return;
    replay.disabled = discard.disabled = !number;
    replay.textContent = number ? `Replay ${count(number)}` : "Replay";
    discard.textContent = number ? `Discard ${count(number)}` : "Discard";
  }
  // Somebody has chosen one or taken one from all; without an event the list was drawn anew.
  function choosing(event) {
    if (event && !event.target.checked) beyond.delete(event.target.dataset.key);
    if (!event) for (const box of list.element.querySelectorAll("input[data-key]")) box.checked ||= beyond.has(box.dataset.key);
    chosen();
  }
  async function choose() {
    if (beyond.size) return clear();
    everything.disabled = true;
    try {
      let page = { next: null };
      do {
        page = await get("dead_letters", { ...Object.fromEntries(query), before: page.next, limit: PAGE }, signal);
        for (const row of page.rows) if (row.state === "open") beyond.add(row.id);
        everything.textContent = `Choosing, ${count(beyond.size)} so far …`;
      } while (page.next && beyond.size < MOST_CHOSEN);
    } catch (error) {
      if (error.name === "AbortError") return;
      say(error.message);
    }
    for (const box of list.element.querySelectorAll("input[data-key]")) box.checked = beyond.has(box.dataset.key);
    everything.textContent = beyond.size ? "Choose none" : EVERYTHING;
    chosen();
  }
  function clear() {
    beyond = new Set();
    everything.textContent = EVERYTHING;
    for (const box of list.element.querySelectorAll("input[data-key]")) box.checked = false;
    chosen();
  }
  async function bulk(what) {
    const ids = meant(), given = await confirmed(what, ids.length);
    if (!given) return;
    isActing = true;
    for (const each of [replay, discard, everything]) each.disabled = true;
    const button = what === "replay" ? replay : discard;
    await done(what, ids, given.key, (number) => { button.textContent = `${count(number)} of ${count(ids.length)} …`; });
    isActing = false;
    clear();
    await list.refresh();
  }

  fill(
    main,
    h("h1", {}, "Dead letters"),
    counts,
    filters(place, [
      { name: "reason", label: "reason", kind: "select", options: REASONS.map((each) => [each, inWords(each)]) },
      { name: "tenant", label: "tenant" },
      { name: "is_everything", label: "closed ones as well", kind: "select", nothing: "no", options: [["true", "yes"]] },
    ]),
    h("div", { class: "card" }, may("operator") && h("div", { class: "acts" }, replay, discard, everything), list.element),
  );
  live.on("dead_letters", (told) => {
    const reasons = Object.entries(told.by_reason).sort((one, two) => two[1] - one[1]);
    fill(counts, reasons.map(([reason, number]) => h("button", { type: "button", onclick: () => go({ reason }) }, `${inWords(reason)} ${count(number)}`)), told.is_cut && h("span", { class: "note" }, "of the newest 5,000"));
    list.refresh();
  }, signal);
}

const confirmed = (what, number) => ask({
  title: `${what === "replay" ? "Replay" : "Discard"} ${number === 1 ? "this letter" : `${count(number)} letters`}?`,
  text: what === "replay"
    ? "Accepted messages go on their way again under new ids, once each. What was never accepted goes back onto its queue and needs a key of its tenant."
    : "They are closed for good, and stay readable.",
  confirm: what === "replay" ? "Replay" : "Discard", danger: what === "discard",
  fields: what === "replay" ? [{ name: "key", label: "Key for what was never accepted (optional)", kind: "password" }] : [],
});

// Some at a time, as the door takes them; what was done stays done when one time is refused.
async function done(what, ids, key, progress = () => {}) {
  const failed = [];
  let number = 0, refused = null;
  for (let at = 0; at < ids.length && !refused; at += AT_ONCE) {
    const some = ids.slice(at, at + AT_ONCE);
    try {
      const told = await act("POST", `dead_letters/${what}`, key ? { ids: some, key } : { ids: some });
      number += Object.keys(told.done).length;
      failed.push(...Object.values(told.failed));
      progress(at + some.length);
    } catch (refusal) {
      refused = refusal;
    }
  }
  const rest = ids.length - number - failed.length;
  say(`${count(number)} ${what === "replay" ? "on the way again" : "discarded"}${failed.length ? `, ${count(failed.length)} not: ${failed[0]}` : "."}${refused ? ` ${count(rest)} ${refused.isKnown ? "are" : "may be"} as they were: ${refused.message}` : ""}`);
  return number > 0;
}

function one({ main, parts, signal, may }) {
  const holder = h("div"), path = `dead_letters/${encodeURIComponent(parts[0])}`;
  const read = () => settle(holder, async () => theRow(await get(path, {}, signal)), draw);
  const acting = (what) => async () => {
    const given = await confirmed(what, 1);
    if (given && await done(what, [parts[0]], given.key)) read();
  };
  const draw = (letter) => h(
    "div", { class: "card" },
    facts([
      ["state", stateTag(letter.state)], ["reason", inWords(letter.reason)], ["detail", letter.detail],
      ["message", letter.message_id && h("a", { href: link("messages", letter.message_id) }, letter.message_id)],
      ["queue", letter.queue], ["tenant", letter.tenant_id && tenantName(letter)], ["since", moment(letter.created_at)],
      ["closed", letter.closed_at && moment(letter.closed_at)], ["replayed as", letter.replayed_as && replayed(letter)],
      ["headers", letter.headers && h("pre", {}, letter.headers)], ["body", letter.body && h("pre", {}, letter.body)],
    ]),
    may("operator") && letter.state === "open" && h("div", { class: "acts" }, h("button", { type: "button", class: "main", onclick: acting("replay") }, "Replay"), h("button", { type: "button", class: "danger", onclick: acting("discard") }, "Discard")),
  );
  fill(main, h("div", { class: "head" }, h("h1", {}, "Dead letter"), h("span", { class: "mono" }, parts[0])), holder);
  read();
}
