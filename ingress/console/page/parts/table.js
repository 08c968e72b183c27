// Tables: plain ones, and those that are read a page at a time.
import { fill, h } from "./dom.js";
import { empty, failure, loading } from "./states.js";

/**
 * A table that scrolls sideways where there is no room for it.
 * `onselect(event)` is told of each choice, and without an event when the table was drawn anew.
 * A column: { title, cell(row) -> text or element, number: true, text: true }
 */
export function table(columns, rows, { caption, href, key, onselect } = {}) {
  const body = h("tbody", {}, rows.map((row) => line(columns, row, { href, key, onselect })));
  const made = h(
    "table", {},
    caption && h("caption", { class: "unseen" }, caption),
    h("thead", {}, h("tr", {}, onselect && h("th", { scope: "col" }, h("span", { class: "unseen" }, "Chosen")), columns.map((column) => h("th", { scope: "col", class: kind(column) }, column.title)))),
    body,
  );
  body.addEventListener("keydown", (event) => move(event, body));
  roam(body);
  return h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": caption }, made);
}

const kind = (column) => column.number ? "number" : column.text ? "text" : null;

function line(columns, row, { href, key, onselect }) {
  const open = href && (() => { location.hash = href(row); });
  const cells = columns.map((column) => h("td", { class: kind(column) }, column.cell(row)));
  const chosen = onselect && h("td", {}, h("input", { type: "checkbox", "aria-label": `Choose ${key(row)}`, "data-key": key(row), onchange: onselect, onclick: (event) => event.stopPropagation() }));
  return h(
    "tr",
    {
      tabindex: open ? "-1" : null,
      "data-row": key ? key(row) : null,
      onclick: open && ((event) => { if (!event.target.closest("a, button, input") && !String(getSelection())) open(); }),
      onkeydown: open && ((event) => { if (event.key === "Enter" && event.target === event.currentTarget) open(); }),
    },
    chosen, cells,
  );
}

// One row at a time is in the order of Tab; arrows go to the others.
function roam(body) {
  body.querySelector("tr[tabindex]")?.setAttribute("tabindex", "0");
}

function move(event, body) {
  const steps = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
  const rows = [...body.querySelectorAll("tr[tabindex]")];
  const at = rows.indexOf(event.target);
  if (!(event.key in steps) || at < 0) return;
  event.preventDefault();
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + steps[event.key]))];
  for (const row of rows) row.setAttribute("tabindex", row === next ? "0" : "-1");
  next.focus();
}

/**
 * A list that is read a page at a time: load(after) gives { rows, next }, where `next` is what
 * the following page is asked for with, or null. Returns { element, refresh, chosen, pages }.
 * refresh() reads as much as is shown again, without a blink, and keeps who has the focus;
 * pages() says how many pages that is.
 */
export function pagedTable({ columns, load, caption, href, key, nothing = "Nothing here yet.", hint, onselect }) {
  const holder = h("div", { class: "paged" });
  let items = [], next = null, turn = 0, pages = 0, isDrawn = false;

  async function read({ quiet }) {
    const mine = ++turn;
    quiet &&= isDrawn; // or what overtakes the first look, and fails, would leave it at that
    if (!quiet) fill(holder, loading());
    const wanted = quiet ? items.length : 0;
    try {
      let page = await load(null), read = page.rows, pagesRead = 1;
      while (page.next && read.length < wanted) {
        page = await load(page.next);
        read = read.concat(page.rows);
        pagesRead += 1;
      }
      if (mine !== turn) return;
      items = read;
      pages = pagesRead;
      next = page.next;
      draw();
    } catch (error) {
      if (error.name !== "AbortError" && mine === turn && !quiet) { isDrawn = false; fill(holder, failure(error, () => read({ quiet: false }))); }
    }
  }

  async function more(event) {
    const mine = turn;
    event.target.disabled = true;
    try {
      const page = await load(next);
      if (mine !== turn) return;
      const first = items.length;
      items = items.concat(page.rows);
      pages += 1;
      next = page.next;
      draw();
      holder.querySelectorAll("tbody tr")[first]?.focus();
    } catch (error) {
      if (error.name !== "AbortError") event.target.after(failure(error));
      event.target.disabled = false;
    }
  }

  function draw() {
    isDrawn = true;
    if (!items.length) {
      fill(holder, empty(nothing, hint));
      return onselect?.();
    }
    const focused = holder.contains(document.activeElement) ? document.activeElement.closest("tr")?.dataset.row : null;
    const kept = new Set(chosen());
    fill(
      holder,
      table(columns, items, { caption, href, key, onselect }),
      h("div", { class: "more" }, next && h("button", { type: "button", onclick: more }, "Show more"), h("span", { class: "note" }, next ? `${items.length} shown` : `${items.length} in all`)),
    );
    for (const box of holder.querySelectorAll("input[data-key]")) box.checked = kept.has(box.dataset.key);
    onselect?.();
    if (focused) [...holder.querySelectorAll("tr[data-row]")].find((row) => row.dataset.row === focused)?.focus();
  }

  const chosen = () => [...holder.querySelectorAll("input[data-key]:checked")].map((box) => box.dataset.key);
  read({ quiet: false });
  return { element: holder, refresh: () => read({ quiet: true }), chosen, pages: () => pages };
}
