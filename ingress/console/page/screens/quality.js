// Whether answers are good: runs of golden sets, and what was said against answers.
import { fill, h } from "../parts/dom.js";
import { count, duration, moment, money, percent } from "../parts/format.js";
import { loading } from "../parts/states.js";
import { pagedTable } from "../parts/table.js";
import { get } from "../shell/api.js";
import { link } from "../shell/place.js";

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

const AGAINST = [
  { title: "at", cell: (row) => moment(row.at) },
  { title: "what", text: true, cell: (row) => [row.label ?? row.name, h("div", { class: "note" }, `${row.name} by ${row.source}`)] },
  { title: "value", number: true, cell: (row) => percent(row.value) },
  { title: "comment", text: true, cell: (row) => row.comment ?? "" },
  { title: "answer", text: true, cell: (row) => h("a", { class: "mono", href: link("messages", row.response_id) }, row.response_id) },
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

function all({ main, live, signal }) {
  const runs = pagedTable({
    columns: RUNS, caption: "Runs of golden sets", key: (run) => run.id, href: (run) => link("quality", run.id),
    load: (before) => get("quality/runs", { before }, signal),
    nothing: "No golden set was run so far.", hint: "Run one: forebay eval run account",
  });
  const against = pagedTable({
    columns: AGAINST, caption: "Negative feedback", key: (row) => row.id,
    load: (before) => get("quality/feedback", { before }, signal),
    nothing: "Nothing was said against an answer.",
  });
  fill(
    main, h("h1", {}, "Quality"),
    h("div", { class: "stack" }, h("section", { class: "card" }, h("h2", {}, "Runs, with intervals of 95 %"), runs.element), h("section", { class: "card" }, h("h2", {}, "Negative feedback"), against.element)),
  );
  live.on("quality", () => { runs.refresh(); against.refresh(); }, signal);
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
      const page = await get(`quality/runs/${encodeURIComponent(id)}`, { before }, signal);
      draw(page.run);
      return page;
    },
    nothing: "No case has come to anything so far.",
  });
  fill(main, h("div", { class: "head" }, h("a", { href: link("quality") }, "Quality"), title), scores, h("section", { class: "card" }, cases.element));
  live.on("quality", cases.refresh, signal);
}
