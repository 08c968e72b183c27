// Light or dark: as the machine has it, until somebody chooses.

const KEPT = "forebay-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

const chosen = () => {
  try { return localStorage.getItem(KEPT); } catch { return null; }
};

function apply() {
  document.documentElement.dataset.theme = chosen() ?? (dark.matches ? "dark" : "light");
}

export function followTheme() {
  apply();
  dark.addEventListener("change", apply);
}

export function toggleTheme() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem(KEPT, next); } catch { /* it is chosen for this page alone */ }
  document.documentElement.dataset.theme = next;
}
