// A sentence about what was just done, read out as well.
import { h } from "./dom.js";

let holder;

export function say(text) {
  if (!holder?.isConnected) { // the page was made anew since
    holder = h("div", { class: "said", role: "status", "aria-live": "polite" });
    document.body.append(holder);
  }
  const line = h("p", {}, text);
  holder.append(line);
  setTimeout(() => line.remove(), 6000);
}
