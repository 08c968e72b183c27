// The tenants: what each has spent, may spend and will have spent, and what it was refused.
import { fill, h } from "../parts/dom.js";
import { filters } from "../parts/filters.js";
import { count, money, percent } from "../parts/format.js";
import { behind } from "../parts/states.js";
import { pagedTable } from "../parts/table.js";
import { get } from "../shell/api.js";

const own = (row, name) => row.plan ? count(row.plan[name]) : h("span", { class: "quiet" }, "as set");
const is_over = (row) => row.budget !== null && Number(row.day.forecast) > Number(row.budget);

const columns = [
  { title: "tenant", text: true, cell: (row) => row.name },
  { title: "messages today", number: true, cell: (row) => count(row.day.messages) },
  { title: "spent today", number: true, cell: (row) => [money(row.day.spent), row.day.unknown ? h("div", { class: "note" }, `${count(row.day.unknown)} calls of unknown cost`) : null] },
  { title: "budget a day", number: true, cell: (row) => row.budget === null ? h("span", { class: "quiet" }, "no cap") : [money(row.budget), used(row)] },
  { title: "forecast", number: true, cell: (row) => h("span", { class: is_over(row) ? "bad" : null }, money(row.day.forecast)) },
  { title: "saved", number: true, cell: (row) => money(row.day.saved) },
  { title: "refused today", text: true, cell: (row) => refusals(row.day.refused) },
  { title: "share of slots, 1 h", number: true, cell: (row) => percent(row.slots) },
  { title: "weight", number: true, cell: (row) => row.plan?.weight ?? 1 },
  { title: "messages / min", number: true, cell: (row) => own(row, "requests_per_minute") },
  { title: "tokens / min", number: true, cell: (row) => own(row, "tokens_per_minute") },
];

export function show(place) {
  const list = pagedTable({
    columns, caption: "Tenants", key: (row) => row.id,
    load: (before) => get("tenants", { before, name: place.query.get("name") }, place.signal),
    nothing: "There are no such tenants.", hint: "Make one: forebay keys create --tenant NAME",
  });
  fill(place.main, h("h1", {}, "Tenants"), behind(place.live, place.signal), filters(place, [{ name: "name", label: "Name" }]), h("section", { class: "card" }, list.element));
  place.live.on("day", () => list.refresh(), place.signal);
}

function used(row) {
  const share = Math.min(1, Number(row.day.spent) / Math.max(Number(row.budget), 1e-9));
  return h("div", { class: "bar", "aria-hidden": "true" }, h("div", { class: share >= 1 ? "bad" : share >= 0.8 ? "warn" : null, style: { width: `${share * 100}%` } }));
}

const refusals = (refused) => Object.entries(refused).sort(([, one], [, other]) => other - one).map(([reason, each]) => `${reason} ${count(each)}`).join(", ") || "—";
