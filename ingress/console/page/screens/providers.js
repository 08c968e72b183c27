// The chain of providers: how their breakers stand, and how they do.
import { ask } from "../parts/dialog.js";
import { fill, h } from "../parts/dom.js";
import { count, duration, money, percent } from "../parts/format.js";
import { say } from "../parts/said.js";
import { behind, empty, loading } from "../parts/states.js";
import { table } from "../parts/table.js";
import { act } from "../shell/api.js";

const STATES = { closed: ["good", "closed"], "half-open": ["warn", "probing"], open: ["bad", "open"] };

export function show({ main, live, may, signal }) {
  const holder = h("section", { class: "card" }, loading());
  let breakers = null, figures = {};
  const draw = () => breakers && fill(holder, list([...breakers, ...others(breakers, figures)].map((row) => ({ ...row, hour: figures[row.name] })), may));
  fill(main, h("h1", {}, "Providers"), behind(live, signal), holder);
  live.on("breakers", (rows) => { breakers = rows; draw(); }, signal);
  live.on("provider_figures", (found) => { figures = found; draw(); }, signal);
}

// A model that was called in the last hour, and whose breaker has counted nothing since.
function others(breakers, figures) {
  const provider = (name) => name.split("/")[0];
  return Object.keys(figures).filter((name) => !breakers.some((row) => row.name === name)).map((name) => {
    const { kind = null, place = null } = breakers.find((row) => provider(row.name) === provider(name)) ?? {};
    return { name, kind, place, state: "closed", seconds_left: 0, calls: 0, failures: 0 };
  });
}

function list(rows, may) {
  if (!rows.length) return empty("No provider is set.", "Name one under [[providers]] in forebay.toml.");
  const columns = may("operator") ? [...COLUMNS, { title: "", cell: button }] : COLUMNS;
  return table(columns, rows, { caption: "Providers, in the order of the chain" });
}

const COLUMNS = [
  { title: "provider / model", text: true, cell: (row) => [row.name, h("div", { class: "note" }, row.kind ?? "no longer set")] },
  { title: "breaker", cell: (row) => row.name.includes("/") ? state(row) : h("span", { class: "quiet" }, "none") },
  { title: "share", number: true, cell: (row) => percent(row.hour?.share) },
  { title: "calls, 1 h", number: true, cell: (row) => count(row.hour?.calls) },
  { title: "failed", number: true, cell: (row) => row.hour ? h("span", { title: classes(row.hour.errors) }, percent(row.hour.failed / row.hour.calls)) : "—" },
  { title: "429", number: true, cell: (row) => row.hour ? percent(row.hour.rate_limited / row.hour.calls) : "—" },
  { title: "p50", number: true, cell: (row) => duration(row.hour?.p50) },
  { title: "p95", number: true, cell: (row) => duration(row.hour?.p95) },
  { title: "cost, 1 h", number: true, cell: (row) => money(row.hour?.cost) },
];

const classes = (errors) => Object.entries(errors).map(([name, each]) => `${name} ${each}`).join(", ") || "none";

function state(row) {
  const [tone, words] = STATES[row.state];
  const left = row.state === "open" && row.seconds_left ? `, ${duration(row.seconds_left)} left` : "";
  return [h("span", { class: `tag ${tone}` }, words + left), row.calls ? h("div", { class: "note" }, `${count(row.failures)} of ${count(row.calls)} calls failed lately`) : null];
}

// A breaker stands before one model; a provider that was never asked has none yet.
function button(row) {
  if (row.place === null || !row.name.includes("/")) return "";
  return row.state === "closed"
    ? h("button", { type: "button", onclick: () => open(row) }, "Open")
    : h("button", { type: "button", onclick: () => set(row, "closed", {}) }, "Close");
}

async function open(row) {
  const given = await ask({
    title: `Have nobody call ${row.name}?`,
    text: "What would have gone there goes to the next of the chain. It is probed when the time is over.",
    fields: [{ name: "minutes", label: "For how many minutes", kind: "number", value: "5", required: true }],
    confirm: "Open the breaker", danger: true,
  });
  if (given) await set(row, "open", { seconds: Number(given.minutes) * 60 });
}

async function set(row, become, more) {
  try {
    await act("POST", "breakers", { name: row.name, become, ...more });
    say(become === "open" ? `Nobody calls ${row.name} now.` : `${row.name} may be called again.`);
  } catch (refusal) {
    say(refusal.message);
  }
}
