// A question that stands before everything else.
import { fill, h } from "./dom.js";

/**
 * Ask, and give what was filled in when it is confirmed: { field: value }, else null.
 * ask({ title, text, fields: [{ name, label, kind: "text"|"area", value }], confirm, danger })
 */
export function ask({ title, text, fields = [], confirm = "Do it", danger = false }) {
  return new Promise((resolve) => {
    const form = h("form", { method: "dialog" });
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
    const entries = fields.map((field) => [field, entry(field)]);
    fill(
      form,
      h("h2", { id: "dialog-title" }, title),
      text && h("p", { class: "note" }, text),
      entries.map(([field, input]) => h("label", { class: "field" }, field.label, input)),
      h(
        "div", { class: "acts" },
        h("button", { value: "yes", class: danger ? "danger" : "main" }, confirm),
        h("button", { value: "no", type: "button", onclick: () => dialog.close("no") }, "Cancel"),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      const given = Object.fromEntries(entries.map(([field, input]) => [field.name, input.value]));
      resolve(dialog.returnValue === "yes" ? given : null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function entry({ kind = "text", value = "", required = false }) {
  const input = h(kind === "area" ? "textarea" : "input", { required, type: kind === "area" ? null : kind });
  input.value = value;
  return input;
}
