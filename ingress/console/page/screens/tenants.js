// The tenants, and what each may use.
import { fill, h } from "../parts/dom.js";
import { count, money } from "../parts/format.js";
import { pagedTable } from "../parts/table.js";
import { get } from "../shell/api.js";

const own = (row, name) => row.plan ? count(row.plan[name]) : h("span", { class: "quiet" }, "as set");

const columns = [
  { title: "tenant", text: true, cell: (row) => row.name },
  { title: "budget a day", number: true, cell: (row) => row.plan?.daily_budget ? money(row.plan.daily_budget) : h("span", { class: "quiet" }, "as set") },
  { title: "messages / min", number: true, cell: (row) => own(row, "requests_per_minute") },
  { title: "tokens / min", number: true, cell: (row) => own(row, "tokens_per_minute") },
  { title: "in flight", number: true, cell: (row) => own(row, "max_in_flight") },
  { title: "weight", number: true, cell: (row) => row.plan?.weight ?? 1 },
];

export function show({ main, signal }) {
  const list = pagedTable({
    columns, caption: "Tenants", key: (row) => row.id,
    load: () => get("tenants", {}, signal),
    nothing: "There are no tenants.", hint: "Make one: forebay tenants create NAME",
  });
  fill(main, h("h1", {}, "Tenants"), h("div", { class: "card" }, list.element));
}
