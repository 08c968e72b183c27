// The inbox: what waits for a person, with the whole conversation, and the answer to it.
import { fill, h } from "../parts/dom.js";
import { count, duration, moment, shortened } from "../parts/format.js";
import { filters } from "../parts/filters.js";
import { say } from "../parts/said.js";
import { settle } from "../parts/states.js";
import { pagedTable } from "../parts/table.js";
import { between, conversation, facts, named, stateTag, tenantName, theRow } from "../parts/words.js";
import { act, get } from "../shell/api.js";
import { link } from "../shell/place.js";

const columns = [
  { title: "waiting", number: true, cell: (row) => duration(between(row.created_at, row.answered_at)) },
  { title: "since", cell: (row) => moment(row.created_at) },
  { title: "tenant", text: true, cell: (row) => row.tenant },
  { title: "why", text: true, cell: (row) => shortened(row.reason) },
  { title: "state", cell: (row) => stateTag(row.state) },
  { title: "answered by", text: true, cell: (row) => row.answered_by ?? "—" },
  { title: "message", text: true, cell: (row) => h("a", { href: link("messages", row.message_id) }, row.message_id) },
];

export function show(place) {
  return place.parts.length ? one(place) : all(place);
}

function all(place) {
  const { main, query, signal, live } = place;
  const tally = h("p", { class: "note" });
  const list = pagedTable({
    columns, caption: "Handoffs", key: (row) => row.id, href: (row) => link("handoffs", row.id),
    load: async (before) => named(await get("handoffs", { ...Object.fromEntries(query), before }, signal)),
    nothing: "Nobody waits for a person.", hint: "Messages come here where no model of the chain may answer them.",
  });
  fill(
    main, h("h1", {}, "Handoffs"), tally,
    filters(place, [{ name: "is_everything", label: "answered ones as well", kind: "select", nothing: "no", options: [["true", "yes"]] }]),
    h("div", { class: "card" }, list.element),
  );
  live.on("handoffs", (told) => {
    const reasons = Object.entries(told.by_reason).map(([reason, number]) => `${reason} ${count(number)}`).join(", ");
    fill(tally, told.waiting ? `${count(told.waiting)}${told.is_cut ? " or more" : ""} wait, the longest for ${duration(between(told.oldest_at, null))}: ${reasons}` : "");
    list.refresh();
  }, signal);
}

// What somebody writes outlives the page's frame: a session that ends while they do takes nothing.
const drafts = new Map();

function one({ main, parts, signal, may, user, live }) {
  const holder = h("div"), path = `handoffs/${encodeURIComponent(parts[0])}`;
  const draft = `${user.key_id} ${parts[0]}`;
  let state = null;
  const load = async () => {
    const told = theRow(await get(path, {}, signal));
    state = told.state;
    return told;
  };
  const read = () => settle(holder, load, draw);
  const draw = (told) => h(
    "div", { class: "row" },
    h("section", { class: "card wide" }, h("h2", {}, "Conversation"), told.missing && h("p", { class: "note" }, told.missing), told.instructions && h("p", { class: "note" }, `Instructions: ${told.instructions}`), conversation(told.conversation)),
    h("section", { class: "card narrow" }, h("h2", {}, "Handoff"), facts([
      ["state", stateTag(told.state)], ["why", told.reason], ["since", moment(told.created_at)],
      ["waiting", duration(between(told.created_at, told.answered_at))],
      ["answered by", told.answered_by], ["tenant", tenantName(told)],
      ["message", h("a", { href: link("messages", told.message_id) }, told.message_id)],
    ]), told.state === "open" && may("operator") && form(path, user, draft, read), told.state !== "open" && drafts.has(draft) && unsent(draft)),
  );
  fill(main, h("div", { class: "head" }, h("h1", {}, "Handoff"), h("span", { class: "mono" }, parts[0])), holder);
  read();
  // Somebody else may answer it meanwhile. What is being written is left as it is until then.
  live.on("handoffs", async () => {
    if (state !== "open") return;
    const told = await load().catch(() => null);
    if (told && told.state !== "open") fill(holder, draw(told));
  }, signal);
}

const unsent = (draft) => h("div", { class: "answer" }, h("p", { class: "note" }, "What you wrote was not sent:"), h("pre", {}, drafts.get(draft)));

function form(path, user, draft, read) {
  const keep = () => text.value ? drafts.set(draft, text.value) : drafts.delete(draft);
  const text = h("textarea", { name: "text", required: true, oninput: keep });
  text.value = drafts.get(draft) ?? "";
  const by = h("input", { name: "answered_by", maxlength: "48", autocomplete: "name", placeholder: user.key_id });
  const button = h("button", { class: "main" }, "Answer");
  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      const told = await act("POST", `${path}/answer`, { text: text.value, answered_by: by.value || null });
      drafts.delete(draft);
      say(told.woken ? "Answered." : "Answered. Redis does not answer: whoever waits finds it within seconds.");
      read();
    } catch (refusal) {
      say(refusal.message);
      button.disabled = false;
      if (refusal.status === 409) read();
    }
  }
  return h("form", { class: "answer", onsubmit: submit }, h("label", { class: "field" }, "Answer", text), h("label", { class: "field" }, "Your name", by), button);
}
