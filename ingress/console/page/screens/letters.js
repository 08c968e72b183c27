// Dead letters: why they will not be answered; several are replayed or discarded at once.
import { fill, h } from "../parts/dom.js";
import { ask } from "../parts/dialog.js";
import { count, moment } from "../parts/format.js";
import { filters } from "../parts/filters.js";
import { say } from "../parts/said.js";
import { settle } from "../parts/states.js";
import { pagedTable } from "../parts/table.js";
import { facts, named, stateTag } from "../parts/words.js";
import { act, get } from "../shell/api.js";
import { link } from "../shell/place.js";

const REASONS = [
  "attempts_exhausted", "chain_exhausted", "deadline_passed", "delivery_limit", "facts_unavailable", "fault", "invalid", "malformed",
  "previous_response_gone", "provider_refused", "refused", "search_unavailable", "too_large", "unauthenticated", "unknown_task", "unroutable",
];
const inWords = (reason) => reason.replaceAll("_", " ");

const columns = [
  { title: "since", cell: (row) => moment(row.created_at) },
  { title: "reason", cell: (row) => inWords(row.reason) },
  { title: "detail", text: true, cell: (row) => row.detail },
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
  const everything = h("button", { type: "button", disabled: true, onclick: choose }, "Choose all shown");
  const list = pagedTable({
    columns, caption: "Dead letters", key: (row) => row.id, href: (row) => link("letters", row.id),
    onselect: may("operator") ? chosen : undefined,
    load: async (before) => {
      const page = named(await get("dead_letters", { ...Object.fromEntries(query), before }, signal));
      everything.disabled = !page.rows.length;
      return page;
    },
    nothing: "There are no dead letters.", hint: "Every message was answered, or waits to be.",
  });

  function chosen() {
    const number = list.chosen().length;
    replay.disabled = discard.disabled = !number;
    replay.textContent = number ? `Replay ${number}` : "Replay";
    discard.textContent = number ? `Discard ${number}` : "Discard";
  }
  function choose() {
    for (const box of list.element.querySelectorAll("input[data-key]")) box.checked = true;
    chosen();
  }
  async function bulk(what) {
    const ids = list.chosen();
    if (await confirmed(what, ids.length) && await done(what, ids)) {
      await list.refresh();
      chosen();
    }
  }

  fill(
    main,
    h("h1", {}, "Dead letters"),
    counts,
    filters(place, [
      { name: "reason", label: "reason", kind: "select", options: REASONS.map((each) => [each, inWords(each)]) },
      { name: "tenant", label: "tenant" },
      { name: "is_everything", label: "closed ones as well", kind: "select", options: [["true", "yes"]] },
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

async function done(what, ids, key = "") {
  try {
    const told = await act("POST", `dead_letters/${what}`, key ? { ids, key } : { ids });
    const failed = Object.values(told.failed), number = Object.keys(told.done).length;
    say(`${count(number)} ${what === "replay" ? "on the way again" : "discarded"}${failed.length ? `, ${count(failed.length)} not: ${failed[0]}` : "."}`);
    return true;
  } catch (refusal) {
    say(refusal.message);
    return false;
  }
}

function one({ main, parts, signal, may }) {
  const holder = h("div"), path = `dead_letters/${encodeURIComponent(parts[0])}`;
  const read = () => settle(holder, () => get(path, {}, signal), draw);
  const acting = (what) => async () => {
    const given = await confirmed(what, 1);
    if (given && await done(what, [parts[0]], given.key)) read();
  };
  const draw = (letter) => h(
    "div", { class: "card" },
    facts([
      ["state", stateTag(letter.state)], ["reason", inWords(letter.reason)], ["detail", letter.detail],
      ["message", letter.message_id && h("a", { href: link("messages", letter.message_id) }, letter.message_id)],
      ["queue", letter.queue], ["tenant", letter.tenant_id], ["since", moment(letter.created_at)],
      ["closed", letter.closed_at && moment(letter.closed_at)], ["replayed as", letter.replayed_as && replayed(letter)],
      ["headers", letter.headers && h("pre", {}, letter.headers)], ["body", letter.body && h("pre", {}, letter.body)],
    ]),
    may("operator") && letter.state === "open" && h("div", { class: "acts" }, h("button", { type: "button", class: "main", onclick: acting("replay") }, "Replay"), h("button", { type: "button", class: "danger", onclick: acting("discard") }, "Discard")),
  );
  fill(main, h("div", { class: "head" }, h("h1", {}, "Dead letter"), h("span", { class: "mono" }, parts[0])), holder);
  read();
}
