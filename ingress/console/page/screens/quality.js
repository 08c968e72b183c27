// Whether answers are good: runs of golden sets, and what was said against answers.
import { fill, h } from "../parts/dom.js";
import { filters } from "../parts/filters.js";
import { count, duration, moment, money, percent, shortened } from "../parts/format.js";
import { empty, loading, settle } from "../parts/states.js";
import { pagedTable, table } from "../parts/table.js";
import { between } from "../parts/words.js";
import { get } from "../shell/api.js";
import { link } from "../shell/place.js";

const MINUTE = 60000;
const FIGURES = { task_completion: ["task completion", percent], hallucination: ["hallucination", percent], satisfaction: ["satisfaction", percent], cost_per_success: ["cost per success", money] };
const STATES = { completed: "good", running: "warn", stopped: "bad" };

function score(run, name) {
  const estimate = run.scores?.[name];
  const [, told] = FIGURES[name];
  return estimate ? [told(estimate.mean), h("div", { class: "note" }, `${told(estimate.low)} to ${told(estimate.high)}`)] : "—";
}

const RUNS = [
  { title: "set", text: true, cell: (run) => [run.set_name, h("div", { class: "note" }, run.variant ? `${run.version}, variant ${run.variant}` : run.version)] },
  { title: "begun", cell: (run) => moment(run.began_at) },
  { title: "state", cell: (run) => h("span", { class: `tag ${STATES[run.state]}` }, run.state) },
  { title: "cases", number: true, cell: (run) => count(run.cases) },
  ...Object.entries(FIGURES).map(([name, [title]]) => ({ title, number: true, cell: (run) => score(run, name) })),
  { title: "cost", number: true, cell: (run) => [money(run.cost), run.judge_cost ? h("div", { class: "note" }, `judges ${money(run.judge_cost)}`) : null] },
];

// An end of an interval that too few conversations can tell is "?".
function interval(estimate, told) {
  if (!estimate) return "—";
  const ends = [estimate.low, estimate.high].map((end) => end === null ? "?" : told(end));
  return [told(estimate.mean), ends.every((end) => end === "?") ? null : h("div", { class: "note" }, ends.join(" to "))];
}

const OUTCOMES = { completion: "task completion", hallucinations: "hallucination", satisfaction: "satisfaction", cost_per_success: "cost per success" };
const GROUPS = ["version", "variant", "route", "model", "tenant"];

const outcomes = (by) => [
  { title: by, text: true, cell: (row) => row.group || h("span", { class: "quiet" }, "none") },
  { title: "conversations", number: true, cell: (row) => count(row.conversations) },
  { title: "successes", number: true, cell: (row) => [count(row.successes), h("div", { class: "note" }, against(row))] },
  ...Object.entries(OUTCOMES).map(([name, title]) => ({ title, number: true, cell: (row) => interval(row[name], name === "cost_per_success" ? money : percent) })),
  { title: "cost", number: true, cell: (row) => [money(row.cost), row.unknown_costs ? h("div", { class: "note" }, `${count(row.unknown_costs)} unknown`) : null] },
];

const against = (row) => [[row.handed_off, "to people"], [row.negative, "spoken against"], [row.asked_again, "asked again"]].filter(([number]) => number).map(([number, words]) => `${count(number)} ${words}`).join(", ");

const AGAINST = [
  { title: "at", cell: (row) => moment(row.at) },
  { title: "what", text: true, cell: (row) => [row.label ?? row.name, h("div", { class: "note" }, `${row.name} by ${row.source}`)] },
  { title: "value", number: true, cell: (row) => percent(row.value) },
  { title: "comment", text: true, cell: (row) => shortened(row.comment ?? "", 400) },
  { title: "answer", text: true, cell: (row) => h("a", { class: "mono", href: link("messages", row.response_id) }, row.response_id) },
];

const JUDGED = [
  { title: "from", cell: ({ window: each }) => [moment(each.starts_at), h("div", { class: "note" }, `for ${duration(between(each.starts_at, each.ends_at))}`)] },
  { title: "judged", number: true, cell: ({ window: each }) => [count(each.judged), h("div", { class: "note" }, `${count(each.passed)} passed`)] },
  { title: "passed of those drawn by chance", number: true, cell: (row) => row.share === null ? "—" : interval({ mean: row.share, low: row.low, high: row.high }, percent) },
  { title: "without a verdict", text: true, cell: ({ window: each }) => [count(each.without_verdict), ...Object.entries(each.reasons).map(([why, number]) => h("div", { class: "note" }, `${count(number)}: ${why}`))] },
  { title: "beyond the budget", number: true, cell: ({ window: each }) => count(each.left_over) },
  { title: "cost", number: true, cell: ({ window: each }) => [money(each.cost), each.unknown_costs ? h("div", { class: "note" }, `${count(each.unknown_costs)} unknown`) : null] },
  { title: "state", text: true, cell: ({ window: each }) => each.fault ? [h("span", { class: "tag bad" }, "stopped"), h("div", { class: "note" }, each.fault)] : h("span", { class: `tag ${each.finished_at ? "good" : "warn"}` }, each.finished_at ? "completed" : "running") },
];

const CASES = [
  { title: "case", text: true, cell: (row) => [row.case_id, row.repeat ? h("div", { class: "note" }, `repeat ${row.repeat}`) : null] },
  { title: "passed", cell: (row) => verdict(row.passed) },
  { title: "what did not hold", text: true, cell: (row) => row.checks.filter((check) => check.passed === false).map((check) => h("div", {}, check.kind, check.why ? `: ${check.why}` : "")) },
  { title: "state", cell: (row) => row.state },
  { title: "took", number: true, cell: (row) => duration(row.seconds) },
  { title: "cost", number: true, cell: (row) => money(row.cost) },
  { title: "answer", text: true, cell: (row) => row.response_id ? h("a", { class: "mono", href: link("messages", row.response_id) }, row.response_id) : "—" },
];

const verdict = (passed) => passed === null ? "—" : h("span", { class: `tag ${passed ? "good" : "bad"}` }, passed ? "passed" : "failed");

export const show = (place) => place.parts.length ? one(place, place.parts[0]) : all(place);

function all(place) {
  const { main, query, live, signal } = place;
  const by = query.get("by") || GROUPS[0], days = query.get("days") || "7";
  const came = h("div");
  const reckon = (quiet) => settle(came, () => get("quality/outcomes", { by, days }, signal), ({ rows }) => rows.length
    ? table(outcomes(by), rows, { caption: "What conversations came to" })
    : empty(`No conversation was closed in ${days === "1" ? "this day" : `these ${days} days`}.`, "One is closed ten minutes after its last answer."), { quiet });
  const runs = pagedTable({
    columns: RUNS, caption: "Runs of golden sets", key: (run) => run.id, href: (run) => link("quality", run.id),
    load: (before) => get("quality/runs", { before }, signal),
    nothing: "No golden set was run so far.", hint: "Run one: forebay eval run account",
  });
  const said = pagedTable({
    columns: AGAINST, caption: "Negative feedback", key: (row) => row.id,
    load: (before) => get("quality/feedback", { before }, signal),
    nothing: "Nothing was said against an answer.",
  });
  const judged = pagedTable({
    columns: JUDGED, caption: "Answers that a judge looked at", key: (row) => row.window.starts_at,
    load: (before) => get("quality/judged", { before }, signal),
    nothing: "No judge has looked at answers that were given.", hint: "Let workers ask one: [evaluation] enabled = true",
  });
  fill(
    main, h("h1", {}, "Quality"),
    h("div", { class: "stack" }, h("section", { class: "card" }, h("h2", {}, "What conversations came to, with intervals of 95 %"), filters(place, [
      { name: "by", label: "for each", kind: "select", options: GROUPS.map((each) => [each]), usual: GROUPS[0] },
      { name: "days", label: "of the last", kind: "select", options: [["1", "day"], ["7", "7 days"], ["30", "30 days"], ["90", "90 days"]], usual: "7" },
    ]), came), h("section", { class: "card" }, h("h2", {}, "Runs, with intervals of 95 %"), runs.element), h("section", { class: "card" }, h("h2", {}, "Answers that a judge looked at, with intervals of 95 %"), judged.element), h("section", { class: "card" }, h("h2", {}, "Negative feedback"), said.element)),
  );
  reckon(false);
  const again = setInterval(() => document.hidden || reckon(true), MINUTE);
  signal.addEventListener("abort", () => clearInterval(again));
  live.on("quality", () => { runs.refresh(); said.refresh(); judged.refresh(); }, signal);
}

function one({ main, live, signal }, id) {
  const title = h("h1", {}, "Run");
  const scores = h("div", { class: "cards" }, loading());
  const draw = (run) => {
    fill(title, `${run.set_name}, ${run.version}`);
    fill(scores, Object.entries(FIGURES).map(([name, [words]]) => h("section", { class: "card" }, h("h2", {}, words), h("div", { class: "figure" }, score(run, name)))));
  };
  const cases = pagedTable({
    columns: CASES, caption: "Cases", key: (row) => `${row.case_id} ${row.repeat}`,
    load: async (before) => {
      const page = await get(`quality/runs/${encodeURIComponent(id)}`, { before }, signal).catch((error) => { fill(scores); throw error; });
      draw(page.run);
      return page;
    },
    nothing: "No case has come to anything so far.",
  });
  fill(main, h("div", { class: "head" }, h("a", { href: link("quality") }, "Quality"), title), scores, h("section", { class: "card" }, cases.element));
  live.on("quality", cases.refresh, signal);
}
