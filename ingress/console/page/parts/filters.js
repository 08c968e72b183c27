// A bar of filters. What is chosen stands in the address, so that it can be sent to somebody.
import { h } from "./dom.js";

/**
 * filters(place, [{ name, label, kind: "text"|"select", options: [["value", "words"]], wide, usual }])
 * The first text field is where "/" leads. An empty field is no filter; one that has a `usual`
 * value is never empty, and `nothing` are the words for an empty select. A bar of such fields alone needs no button.
 */
export function filters(place, fields) {
  const inputs = fields.map((field) => [field, input(field, place.query.get(field.name) ?? field.usual ?? "")]);
  const apply = () => place.go(Object.fromEntries(inputs.map(([field, each]) => [field.name, each.value.trim()])));
  const form = h(
    "form", { class: "filters", role: "search", onsubmit: (event) => { event.preventDefault(); apply(); } },
    inputs.map(([field, each]) => h("label", { class: "field" }, field.label, each)),
    fields.some((field) => !field.usual) && h("button", {}, "Search"),
    [...place.query.keys()].length > 0 && h("button", { type: "button", class: "plain", onclick: () => place.go({}) }, "Clear"),
  );
  for (const [field, each] of inputs) if (field.kind === "select") each.addEventListener("change", apply);
  return form;
}

function input({ kind = "text", options = [], placeholder, wide, usual, nothing = "any" }, value) {
  if (kind !== "select") {
    const made = h("input", { type: "search", placeholder, size: wide ? 34 : 18, "data-search": kind === "text", autocomplete: "off", spellcheck: "false" });
    made.value = value;
    return made;
  }
  const made = h("select", {}, usual === undefined && h("option", { value: "" }, nothing), options.map(([key, words]) => h("option", { value: key }, words ?? key)));
  made.value = value;
  return made;
}
