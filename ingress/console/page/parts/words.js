// Words and colours that several screens of work have in common.
import { h } from "./dom.js";

const TONES = {
  completed: "good", answered: "good", replayed: "good", in_progress: "warn", finalizing: "warn",
  requires_action: "warn", open: "warn", cancelling: "warn", incomplete: "warn", failed: "bad", expired: "bad",
};

/** A state with its colour. */
export const stateTag = (state) => h("span", { class: `tag ${TONES[state] ?? ""}` }, state.replaceAll("_", " "));

/** A page of a list, each row with the name of its tenant in `tenant`. */
export function named(page) {
  for (const row of page.rows) row.tenant = page.tenants[row.tenant_id] ?? row.tenant_id ?? "—";
  return page;
}

/** The only row of a page, named. */
export const theRow = (page) => named(page).rows[0];

/** Of a row that `named` has been through. */
export const tenantName = (row) => row.tenant === row.tenant_id ? row.tenant : `${row.tenant} (${row.tenant_id})`;

/** Seconds between two moments; until now where the second is missing. */
export const between = (since, until) => since ? ((until ? new Date(until) : new Date()) - new Date(since)) / 1000 : null;

/** Facts in two columns: [["state", "open"], …]; those without a value are left out. */
export const facts = (pairs) => h(
  "dl", { class: "facts" },
  pairs.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "").map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
);

export const scroller = (label, ...children) => h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": label }, children);

const WHO = { function_call: "assistant, to a tool", function_call_output: "tool", file_search_call: "search", reasoning: "thought", item_reference: "refers to" };

/** What was said, each with who said it: items as the API has them. */
export const conversation = (items) => h(
  "ol", { class: "talk" },
  items.map((item) => h("li", { class: item.type === "message" ? item.role : "tool" }, h("span", { class: "note" }, item.type === "message" ? item.role : WHO[item.type] ?? item.type), h("pre", {}, words(item)))),
);

function words(item) {
  if (item.type === "function_call") return `${item.name}(${item.arguments})`;
  if (item.type === "function_call_output") return text(item.output);
  if (item.type === "file_search_call") return (item.queries ?? []).join("\n");
  if (item.type === "reasoning") return (item.summary ?? []).map((part) => part.text ?? "").join("\n");
  return text(item.content ?? item.id);
}

function text(content) {
  if (!Array.isArray(content)) return content ?? "";
  return content.map((part) => part.text ?? `(${part.type ?? "content"})`).join("\n\n");
}
