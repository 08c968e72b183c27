// What stands where there is nothing to show yet, nothing at all, or an error.
import { fill, h } from "./dom.js";
import { duration } from "./format.js";

export const loading = (what = "Loading") => h("div", { class: "state waiting", role: "status" }, `${what} …`);

export const empty = (said, hint) => h("div", { class: "state" }, h("strong", {}, said), hint && h("span", {}, hint));

export function failure(error, again) {
  return h(
    "div", { class: "state bad", role: "alert" },
    h("strong", {}, error.message || "This could not be loaded."),
    error.requestId && h("p", { class: "mono" }, `request ${error.requestId}`),
    again && h("button", { type: "button", onclick: again }, "Try again"),
  );
}

/** Call `again()` every so many ms while the page is seen, until it gives false or `signal` aborts. */
export function follow(again, signal, every = 2000) {
  const timer = setInterval(() => { if (!document.hidden && again() === false) clearInterval(timer); }, every);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/**
 * Fill `holder` with what `load` gives and `draw` makes of it; with `quiet` what stands there
 * stays until then, and where it fails it stays as well.
 */
export async function settle(holder, load, draw, { quiet = false } = {}) {
  if (!quiet) fill(holder, loading());
  holder.setAttribute("aria-busy", "true");
  try {
    fill(holder, draw(await load()));
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!quiet) fill(holder, failure(error, () => settle(holder, load, draw)));
  } finally {
    holder.removeAttribute("aria-busy");
  }
}

/** What stands above figures that do not hold all that has ended, while they do not. */
export function behind(live, signal) {
  const note = h("p", { class: "trouble", role: "status", hidden: true });
  live.on("behind", (seconds) => {
    note.hidden = seconds === null;
    fill(note, seconds === null ? null : `Figures are behind by ${duration(seconds)}: more has ended than was added up yet. The newest is missing.`);
  }, signal);
  return note;
}
