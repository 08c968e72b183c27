// One message: what became of it, where its time went, what it cost, what was said.
import { h } from "../parts/dom.js";
import { count, duration, moment, money, percent } from "../parts/format.js";
import { table } from "../parts/table.js";
import { between, conversation, facts, scroller, stateTag } from "../parts/words.js";
import { link } from "../shell/place.js";

const card = (title, ...children) => h("section", { class: "card" }, h("h2", {}, title), children);

export function drawMessage(told) {
  return [
    h("div", { class: "row" }, h("div", { class: "half" }, card("What became of it", outcome(told))), h("div", { class: "half" }, card("How it came about", road(told)))),
    h("div", { class: "row" }, card("Where the time went", waterfall(told))),
    h("div", { class: "row" }, card("Calls", attempts(told.attempts))),
    told.passages.length > 0 && h("div", { class: "row" }, card("Passages", passages(told.passages))),
    h("div", { class: "row" }, card("What was said", told.said.length ? conversation(told.said) : h("p", { class: "note" }, "Nothing of it is kept."))),
  ];
}

function outcome({ message, tenant_name: tenant, letters, handoff_id: handoff, handoff_state: handoffState, asked_model: asked }) {
  if (!message) return h("p", {}, "It was deleted: what was spent on it is kept.");
  const ended = message.state !== "requires_action" && message.finished_at && `${moment(message.finished_at)}, after ${duration(between(message.accepted_at, message.finished_at))}`;
  return facts([
    ["state", h("span", {}, stateTag(message.state), message.incomplete_reason && ` (${message.incomplete_reason})`)],
    ["error", message.error_code && `${message.error_code}: ${message.error_message}`],
    ["erased", message.erased_at && moment(message.erased_at)],
    ["tenant", `${tenant ?? "(gone)"} (${message.tenant_id})`],
    ["user", message.user_id],
    ["conversation", message.conversation_id && h("a", { href: link("messages", { conversation: message.conversation_id, tenant: message.tenant_id }) }, message.conversation_id)],
    ["goes on from", message.previous_id && h("a", { href: link("messages", message.previous_id) }, message.previous_id)],
    ["lane", `${message.lane}, by ${message.surface}`],
    ["accepted", moment(message.accepted_at)],
    ["ended", ended],
    ["deadline", moment(message.deadline)],
    ["model", !ended && !message.model ? `${asked ?? "any"} asked` : `${asked ?? "any"} asked, ${message.model ?? "none"} served`],
    ["answered by", message.answered_by],
    ["tokens", message.input_tokens !== null && `${count(message.input_tokens)} in, ${count(message.cached_tokens)} of them cached, ${count(message.output_tokens)} out`],
    ["cost", message.cost !== null ? money(message.cost) : ended && "unknown"],
    ["trace", message.traceparent && h("span", { class: "mono" }, message.traceparent.slice(3, 35))],
    ...letters.map((letter) => ["dead letter", h("a", { href: link("letters", letter.id) }, `${letter.reason}, ${letter.state}`)]),
    ["handoff", handoff && h("a", { href: link("handoffs", handoff) }, handoffState)],
  ]);
}

function road({ message, waits_because: why, report, lines, attempts: calls }) {
  const verdicts = calls.filter((call) => call.error_class === "rejected");
  const told = facts([
    ["waits because", why],
    ...lines.map((line) => ["batch", h("a", { href: link("batches", line.batch_id) }, `line ${line.line}, ${line.custom_id}`)]),
    ...Object.entries(report).map(([part, said]) => [part, spelled(said)]),
    ...verdicts.map((call) => ["guardrail", `rejected ${call.model}: ${call.detail ?? "no reason kept"}`]),
  ]);
  if (told.children.length) return told;
  return h("p", { class: "note" }, message?.finished_at ? "The whole conversation was given to the model, no stored answer was used, and no answer was rejected." : "This is told when it has ended.");
}

function spelled(said) {
  if (Array.isArray(said)) return said.join(", ");
  if (said === null || typeof said !== "object") return String(said);
  return Object.entries(said).map(([name, value]) => `${name.replaceAll("_", " ")} ${name === "similarity" ? percent(value) : value}`).join(", ");
}

function waterfall({ stretches, message }) {
  if (!stretches.length) return h("p", { class: "note" }, "No times of it are kept.");
  const now = between(message.accepted_at, null);
  const ends = stretches.map((each) => each.end ?? now);
  const whole = Math.max(0.001, ...ends);
  return h("ol", { class: "waterfall" }, stretches.map((each, place) => {
    const share = (seconds) => `${(100 * seconds) / whole}%`;
    const took = ends[place] - each.start;
    const bar = h("span", { class: `stretch ${each.kind} ${each.failed ? "failed" : ""}`, style: { marginLeft: share(each.start), width: share(took) } });
    return h("li", {},
      h("span", { class: "what" }, each.label), h("span", { class: "track" }, bar), h("span", { class: "took" }, `${duration(took)}${each.end === null ? " so far" : ""}`),
      each.reason && h("span", { class: "why" }, each.reason));
  }));
}

const columns = [
  { title: "turn", cell: (row) => `${row.claim}.${row.ordinal}` },
  { title: "provider", text: true, cell: (row) => row.deployment ? `${row.provider}/${row.deployment}` : row.provider },
  { title: "model", text: true, cell: (row) => row.model },
  { title: "result", cell: (row) => h("span", { class: `tag ${row.error_class ? "bad" : "good"}` }, row.error_class ?? "taken") },
  { title: "began", cell: (row) => moment(row.started_at) },
  { title: "took", number: true, cell: (row) => duration(row.latency_seconds) },
  { title: "in", number: true, cell: (row) => count(row.input_tokens) },
  { title: "cached", number: true, cell: (row) => count(row.cached_tokens) },
  { title: "out", number: true, cell: (row) => count(row.output_tokens) },
  { title: "cost", number: true, cell: (row) => row.cost === null ? "unknown" : `${row.is_estimated ? "about " : ""}${money(row.cost)}` },
  { title: "detail", text: true, cell: (row) => row.detail ?? "" },
];

const attempts = (rows) => rows.length
  ? scroller("Calls", table(columns, rows, { caption: "Calls" }))
  : h("p", { class: "note" }, "No provider was called and booked for it so far.");

const passages = (rows) => h("ol", { class: "talk" }, rows.map((row) => h("li", {}, h("span", { class: "note" }, `${row.filename || row.file_id}, ${percent(row.score)}`), h("pre", {}, row.text))));
