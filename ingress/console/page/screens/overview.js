// How it goes right now, and what it costs.
import { lineChart } from "../parts/charts.js";
import { fill, h } from "../parts/dom.js";
import { count, duration, money, percent, rate } from "../parts/format.js";
import { behind, empty, loading } from "../parts/states.js";
import { table } from "../parts/table.js";

export function show({ main, live, signal }) {
  const card = () => h("section", { class: "card" }, loading());
  const [oldest, times, throughput, errors, spent, saved] = Array.from({ length: 6 }, card);
  const chart = h("section", { class: "card wide" }, loading());
  const cost = h("section", { class: "card half" }, loading());
  const lanes = h("section", { class: "card half" }, loading());
  const answered = h("section", { class: "card narrow" }, loading());
  const state = h("section", { class: "card system", role: "status" }, loading());
  let ended = 0;
  fill(
    main,
    h("h1", { class: "unseen" }, "Overview"),
    behind(live, signal),
    state,
    h("div", { class: "cards" }, oldest, times, throughput, errors, spent, saved),
    h("div", { class: "row" }, chart, answered),
    h("div", { class: "row" }, lanes, cost),
  );
  const charts = (holder, title, draw) => fill(holder, h("h2", {}, title), draw());
  live.on("state", (told) => fill(state, systemState(told)), signal);
  live.on("lane_loads", (loads) => {
    figure(oldest, "Oldest waiting", ...oldestOf(loads));
    fill(lanes, h("h2", {}, "Lanes"), table(LANES, Object.entries(loads), { caption: "Lanes" }));
  }, signal);
  live.on("traffic", (traffic) => {
    ended = traffic.messages;
    figure(times, "p50 / p95 / p99", traffic.p50 === null ? "—" : together([traffic.p50, traffic.p95, traffic.p99]), "from acceptance to the end, 5 min");
    figure(throughput, "Throughput", rate(traffic.messages / traffic.seconds), `accepted ${rate(traffic.accepted / traffic.seconds)}${refusals(traffic.refused)}`);
    figure(errors, "Failed", traffic.messages ? percent(traffic.failed / traffic.messages) : "—", classes(traffic));
    fill(answered, h("h2", {}, "Answered by, 5 min"), shares(traffic.answered_by), h("p", { class: "note" }, `Cached tokens: ${traffic.input_tokens ? percent(traffic.cached_tokens / traffic.input_tokens) : "—"} of what was read`));
  }, signal);
  live.on("day", (day) => {
    const over = day.cap !== null && Number(day.spending.forecast) > Number(day.cap);
    figure(spent, "Spent today", money(day.spending.spent), day.cap === null ? "no budget is set, " : `of ${money(day.cap)}, `, h("span", { class: over ? "bad" : null }, `forecast ${money(day.spending.forecast)}`), day.spending.unknown ? `; ${count(day.spending.unknown)} calls of unknown cost` : "");
    figure(saved, "Saved by cache", money(day.spending.saved), "today, by stored answers");
    charts(cost, "Cost per hour by model", () => Object.keys(day.costs.models).length
      ? lineChart({ title: "Cost per hour by model", times: day.costs.times, series: Object.entries(day.costs.models).map(([label, values]) => ({ label: label || "no model", values: values.map(Number), fill: true })), format: money, signal })
      : empty("Nothing was paid for in the last 24 hours."));
  }, signal);
  live.on("hour", (hour) => charts(chart, "Time to answer, and messages per minute", () => hour.times.length
    ? [
      lineChart({ title: "Time to answer", times: hour.times, series: [{ label: "p50", values: hour.p50 }, { label: "p95", values: hour.p95 }], format: duration, height: 180, signal }),
      lineChart({ title: "Messages per minute", times: hour.times, series: [{ label: "ended", values: hour.messages, fill: true }, { label: "failed", values: hour.failed, colour: "--bad-fill" }], format: count, height: 150, signal }),
    ]
    : ended ? empty("No minute of traffic is over yet.", "The lines begin with the next minute.") : empty("Nothing has ended in the last hour.", "Send something: forebay send \"hello\"")), signal);
}

const TONES = { healthy: "good", degraded: "warn", down: "bad" };

// In what state the system is, and every reason for it.
function systemState({ state, findings }) {
  return [
    h("span", { class: `tag ${TONES[state]}` }, h("strong", {}, `The system is ${state}`)),
    findings.length
      ? h("ul", {}, findings.map((finding) => h("li", {}, h("span", { class: `tag ${TONES[finding.state]}` }, h("strong", {}, finding.part)), ` ${finding.sentence}`)))
      : h("span", { class: "note" }, "Messages are accepted, and models answer them."),
  ];
}

// Three times in one unit: "0.9 / 2.4 / 6.1 s"
function together(times) {
  const figures = times.map((time) => time < 9.95 ? time.toFixed(time < 0.095 ? 2 : 1) : Math.round(time));
  return times.every((time) => time < 600) ? `${figures.join(" / ")} s` : times.map(duration).join(" / ");
}

const LANES = [
  { title: "lane", cell: ([name]) => name },
  { title: "waiting", number: true, cell: ([, load]) => count(load.queued) },
  { title: "oldest", number: true, cell: ([, load]) => load.queued ? duration(load.oldest_seconds) : "—" },
  { title: "answered", number: true, cell: ([, load]) => rate(load.drained_per_second) },
  { title: "drained in", number: true, cell: ([, load]) => load.queued && load.drained_per_second ? duration(load.queued / load.drained_per_second) : "—" },
];

const figure = (holder, label, value, ...note) => fill(holder, h("h2", {}, label), h("div", { class: "figure" }, value), h("p", { class: "note" }, note));

function oldestOf(loads) {
  const waiting = Object.entries(loads).filter(([, load]) => load.queued).sort(([, one], [, other]) => other.oldest_seconds - one.oldest_seconds);
  if (!waiting.length) return ["—", "nothing waits"];
  const [name, load] = waiting[0];
  return [duration(load.oldest_seconds), `${name} lane, ${count(load.queued)} wait there`];
}

const refusals = (refused) => {
  const all = Object.values(refused).reduce((sum, each) => sum + each, 0);
  return all ? `, refused ${count(all)}` : "";
};

function classes({ attempts, errors }) {
  const named = Object.entries(errors).sort(([, one], [, other]) => other - one);
  if (!attempts) return "no calls, 5 min";
  if (!named.length) return `${count(attempts)} ${attempts === 1 ? "call" : "calls"}, none failed`;
  return `of ${count(attempts)} calls: ${named.slice(0, 3).map(([name, each]) => `${name.replaceAll("_", " ")} ${count(each)}`).join(", ")}`;
}

function shares(answered) {
  const all = Object.values(answered).reduce((sum, each) => sum + each, 0);
  if (!all) return empty("Nothing was answered.");
  const columns = [
    { title: "by", cell: ([name]) => name },
    { title: "", cell: ([, each]) => h("div", { class: "bar", "aria-hidden": "true" }, h("div", { style: { width: `${(100 * each) / all}%` } })) },
    { title: "share", number: true, cell: ([, each]) => percent(each / all) },
  ];
  return table(columns, Object.entries(answered), { caption: "Answered by" });
}
