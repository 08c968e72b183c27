// The one thing to be seen without a session.
import { fill, h } from "../parts/dom.js";
import { logIn } from "./api.js";

/** Ask for a key until one is taken; `done(user)` then. */
export function showLogin(holder, done, said) {
  const key = h("input", { type: "password", name: "key", autocomplete: "current-password", required: true, "aria-describedby": "login-error", spellcheck: "false" });
  // Browsers keep a password under a name; all who come with a key have the same one.
  const name = h("input", { type: "text", name: "username", autocomplete: "username", value: "forebay", hidden: true, readonly: true });
  const error = h("p", { id: "login-error", class: "bad", role: "alert", hidden: !said }, said);
  const button = h("button", { class: "main" }, "Log in");

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      done(await logIn(key.value.trim()));
    } catch (refusal) {
      error.textContent = refusal.message;
      error.hidden = false;
      key.select();
    } finally {
      button.disabled = false;
    }
  }

  fill(
    holder,
    h(
      "form", { class: "login", onsubmit: submit },
      h(
        "div", { class: "card" },
        h("h1", {}, "Forebay console"),
        h("label", { class: "field" }, "Key of an admin, an operator or a reader", name, key),
        error,
        button,
        h("p", { class: "note" }, "Make one with ", h("span", { class: "mono" }, "forebay keys create --tenant NAME --scope reader")),
      ),
    ),
  );
  key.focus();
}
