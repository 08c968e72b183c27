// What was done, and by whom.
import { fill, h } from "../parts/dom.js";
import { filters } from "../parts/filters.js";
import { count, moment } from "../parts/format.js";
import { pagedTable } from "../parts/table.js";
import { get } from "../shell/api.js";

const columns = [
  { title: "number", number: true, cell: (row) => row.number },
  { title: "at", cell: (row) => moment(row.at) },
  { title: "who", text: true, cell: (row) => [h("span", { class: "mono" }, row.actor), h("div", { class: "note" }, row.role)] },
  { title: "act", cell: (row) => row.act },
  { title: "target", text: true, cell: (row) => row.target },
  { title: "detail", text: true, cell: (row) => row.detail === "{}" ? "" : h("span", { class: "mono" }, row.detail) },
];

export function show(place) {
  const proof = h("p", { class: "note", role: "status" });
  const list = pagedTable({
    columns, caption: "Audit log", key: (row) => String(row.number),
    load: (before) => get("audit", { before, actor: place.query.get("actor") }, place.signal),
    nothing: place.query.get("actor") ? "Nothing was done by them." : "Nothing was done so far.",
  });
  fill(
    place.main,
    h("div", { class: "head" }, h("h1", {}, "Audit log"), h("button", { type: "button", onclick: () => prove(proof, place.signal) }, "Verify"), proof),
    filters(place, [{ name: "actor", label: "Who: a key's id, or user@host", wide: true }]),
    h("section", { class: "card" }, list.element),
  );
  place.live.on("audit", list.refresh, place.signal);
}

async function prove(holder, signal) {
  fill(holder, "Reading every entry …");
  try {
    const found = await get("audit/proof", {}, signal);
    fill(holder, found.broken === null
      ? [`All ${count(found.entries)} entries fit. Head: `, h("span", { class: "mono" }, found.head)]
      : h("span", { class: "bad" }, `The log does not fit: ${found.why}.`));
  } catch (refusal) {
    if (refusal.name !== "AbortError") fill(holder, refusal.message);
  }
}
