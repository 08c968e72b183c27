// What is wrong now, what was, and who need not be told.
import { ask } from "../parts/dialog.js";
import { fill, h } from "../parts/dom.js";
import { moment } from "../parts/format.js";
import { say } from "../parts/said.js";
import { empty, loading } from "../parts/states.js";
import { pagedTable, table } from "../parts/table.js";
import { act, get } from "../shell/api.js";

const TONES = { info: null, warning: "warn", critical: "bad" };
const severity = (row) => h("span", { class: `tag ${TONES[row.severity] ?? ""}` }, row.severity);
const what = (row) => [row.summary, h("div", { class: "note" }, row.rule, Object.entries(row.labels).map(([name, value]) => ` ${name}=${value}`))];

const ACTIVE = [
  { title: "severity", cell: severity },
  { title: "state", cell: (row) => row.acknowledged_by ? [row.state, h("div", { class: "note" }, `acknowledged by ${row.acknowledged_by}`)] : row.state },
  { title: "what", text: true, cell: what },
  { title: "since", cell: (row) => moment(row.since) },
];

const HISTORY = [
  { title: "at", cell: (row) => moment(row.at) },
  { title: "what happened", cell: (row) => [row.kind, row.by ? h("div", { class: "note" }, `by ${row.by}`) : row.silence_id ? h("div", { class: "note" }, "silenced") : null] },
  { title: "severity", cell: severity },
  { title: "alert", text: true, cell: what },
];

const SILENCES = [
  { title: "matches", text: true, cell: (row) => h("span", { class: "mono" }, Object.entries(row.matchers).map(([name, like]) => `${name}=${like}`).join(" ")) },
  { title: "until", cell: (row) => moment(row.until) },
  { title: "why", text: true, cell: (row) => [row.why, h("div", { class: "note" }, `by ${row.by}`)] },
];

export function show({ main, live, may, signal }) {
  const active = h("section", { class: "card" }, loading());
  const silences = h("section", { class: "card", hidden: true });
  const history = pagedTable({
    columns: HISTORY, caption: "History of alerts", key: (row) => row.id,
    load: (before) => get("alerts/history", { before }, signal),
    nothing: "No alert has fired so far.",
  });
  const acting = may("operator");
  const columns = acting ? [...ACTIVE, { title: "", cell: buttons }] : ACTIVE;
  const quiet = acting ? [...SILENCES, { title: "", cell: (row) => h("button", { type: "button", onclick: () => tell(act("DELETE", `alerts/silences/${row.id}`), "The silence is over.") }, "End") }] : SILENCES;
  fill(
    main,
    h("div", { class: "head" }, h("h1", {}, "Alerts"), acting && h("button", { type: "button", onclick: () => silence("rule=*") }, "Silence …")),
    h("div", { class: "stack" }, active, silences, h("section", { class: "card" }, h("h2", {}, "History"), history.element)),
  );
  live.on("alerts", (board) => {
    fill(active, h("h2", {}, "Now"), board.active.length ? table(columns, board.active, { caption: "Alerts now", key: (row) => row.fingerprint }) : empty("Nothing is wrong.", "Every rule that has data holds."));
    silences.hidden = !board.silences.length;
    fill(silences, h("h2", {}, "Silences"), table(quiet, board.silences, { caption: "Silences" }));
    history.refresh();
  }, signal);
}

const buttons = (row) => h(
  "div", { class: "acts" },
  row.state === "firing" && !row.acknowledged_by && h("button", { type: "button", onclick: () => tell(act("POST", `alerts/${row.fingerprint}/acknowledge`), "Acknowledged: nobody is reminded of it.") }, "Acknowledge"),
  h("button", { type: "button", onclick: () => silence([`rule=${row.rule}`, ...Object.entries(row.labels).map(([name, value]) => `${name}=${value}`)].join("\n")) }, "Silence"),
);

async function silence(matchers) {
  const given = await ask({
    title: "Tell nobody of alerts that match",
    text: "A label and its value on each line, with * and ? in values. All of them have to match.",
    fields: [
      { name: "matchers", label: "Matches", kind: "area", value: matchers, required: true },
      { name: "hours", label: "For how many hours", kind: "number", value: "2", required: true },
      { name: "why", label: "Why", required: true },
    ],
    confirm: "Silence",
  });
  if (!given) return;
  const pairs = given.matchers.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => line.split(/=(.*)/s).slice(0, 2));
  await tell(act("POST", "alerts/silences", { matchers: Object.fromEntries(pairs.map(([name, like = ""]) => [name.trim(), like.trim()])), hours: Number(given.hours), why: given.why }), "Silenced.");
}

async function tell(doing, done) {
  try {
    await doing;
    say(done);
  } catch (refusal) {
    say(refusal.message);
  }
}
