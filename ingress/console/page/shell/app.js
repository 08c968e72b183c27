// The frame: who is logged in, where they are, and the screen of that place.
import { fill, h } from "../parts/dom.js";
import { empty, failure, loading } from "../parts/states.js";
import { SCREENS } from "../screens/screens.js";
import { logOut, whoAmI } from "./api.js";
import { Live } from "./live.js";
import { showLogin } from "./login.js";
import { link, readPlace } from "./place.js";
import { followTheme, toggleTheme } from "./theme.js";

const ROLES = ["reader", "operator", "admin"];
const main = h("main", { id: "main", tabindex: "-1" });
const shown = h("span", { class: "live", role: "status" }, "connecting");
const trouble = h("p", { class: "trouble", role: "status", hidden: true });
const live = new Live(shown);
let user = null;
let leaving = new AbortController();

const may = (role) => ROLES.indexOf(user.role) >= ROLES.indexOf(role);

function frame() {
  const places = SCREENS.map((screen) => h("li", {}, h("a", { href: link(screen.name), "data-name": screen.name }, screen.title)));
  fill(
    document.body,
    h("a", { class: "skip", href: "#", onclick: (event) => { event.preventDefault(); main.focus(); } }, "Skip to content"),
    h(
      "header", { class: "top" },
      h("a", { class: "brand", href: link("overview") }, "Forebay"),
      h("nav", { "aria-label": "Screens" }, h("ul", { class: "places" }, places)),
      h(
        "div", { class: "top-end" },
        shown,
        h("button", { type: "button", class: "plain", onclick: toggleTheme, title: "Light or dark" }, h("span", { "aria-hidden": "true" }, "◐"), h("span", { class: "unseen" }, "Light or dark")),
        h("span", { title: `Key ${user.hint} of ${user.tenant_name}` }, user.role),
        h("button", { type: "button", class: "plain", onclick: leave }, "Log out"),
      ),
    ),
    trouble, main,
  );
}

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const { name, parts, query } = readPlace(location.hash);
  const screen = SCREENS.find((each) => each.name === name);
  for (const each of document.querySelectorAll(".places a")) {
    if (each.dataset.name === name) {
      each.setAttribute("aria-current", "page");
      // Not by scrollIntoView, which is where Tab would go on from.
      const places = each.closest("ul");
      places.scrollLeft = each.offsetLeft - (places.clientWidth - each.offsetWidth) / 2;
    } else each.removeAttribute("aria-current");
  }
  document.title = screen ? `${screen.title} · Forebay` : "Forebay";
  main.className = screen ? `screen-${name}` : "";
  if (!screen) return fill(main, h("h1", {}, "Nothing here"), empty("There is no such screen.", "Choose one above."));
  fill(main, loading());
  const go = (chosen) => { location.hash = link(name, ...parts, chosen); };
  const holder = h("div");
  try {
    const module = await screen.load();
    if (signal.aborted) return;
    fill(main, holder);
    await module.show({ main: holder, parts, query, go, user, may, live, signal });
  } catch (error) {
    if (!signal.aborted && error.name !== "AbortError") fill(main, h("h1", {}, screen.title), failure(error, show));
  }
}

// How many alerts fire that nobody is at stands beside their screen's name.
function badge({ active }) {
  const place = document.querySelector('.places a[data-name="alerts"]');
  if (!place) return;
  const open = active.filter((alert) => alert.state === "firing" && !alert.acknowledged_by).length;
  place.querySelector(".badge")?.remove();
  if (open) place.append(" ", h("span", { class: "badge" }, open, h("span", { class: "unseen" }, " firing")));
}

// What the door cannot look at stands still on the screens, which has to be said.
function tellTrouble(code) {
  trouble.hidden = !code;
  fill(trouble, code && `Not all that is shown is current: the door met ${code.replaceAll("_", " ")}. It looks again by itself.`);
}

function enter(who) {
  user = who;
  frame();
  live.start();
  show();
}

function away(said) {
  leaving.abort();
  live.stop();
  user = null;
  document.title = "Log in · Forebay";
  fill(document.body, main);
  main.className = "";
  showLogin(main, enter, said);
}

async function leave() {
  await logOut().catch(() => null);
  away();
}

addEventListener("hashchange", () => user && show());
addEventListener("logged-out", () => user && away("You are no longer logged in."));
// A stream that is refused says nothing of why: the session may be over.
addEventListener("stream-lost", async () => {
  const who = await whoAmI().catch(() => user);
  if (user && !who) away("You are no longer logged in.");
});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  const search = document.querySelector("input[data-search]");
  if (search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (user) {
    event.preventDefault();
    location.hash = link("messages");
  }
});

followTheme();
live.on("alerts", badge);
live.on("trouble", tellTrouble);
try {
  const who = await whoAmI();
  if (who) enter(who);
  else away();
} catch (refusal) {
  away(refusal.message);
}
