// Figures and times as people read them. null and undefined are "—".

const NONE = "—";
const missing = (value) => value === null || value === undefined || Number.isNaN(Number(value));

export const count = (value) => missing(value) ? NONE : Math.round(Number(value)).toLocaleString("en");

/** 0.0042 -> $0.0042, 38.1 -> $38.10 */
export function money(value) {
  if (missing(value)) return NONE;
  const amount = Number(value);
  const digits = amount !== 0 && Math.abs(amount) < 1 ? 4 : 2;
  return `${amount < 0 ? "−" : ""}$${Math.abs(amount).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: digits })}`;
}

/** A share of 1: 0.363 -> 36 %, 0.0064 -> 0.6 % */
export function percent(share) {
  if (missing(share)) return NONE;
  const value = Number(share) * 100;
  return `${value !== 0 && Math.abs(value) < 10 ? value.toFixed(1) : Math.round(value)} %`;
}

/** Seconds: 0.034 -> 34 ms, 1.84 -> 1.8 s, 370 -> 6 m 10 s; below 0, as clocks differ, it is 0 */
export function duration(seconds) {
  if (missing(seconds)) return NONE;
  const value = Math.max(0, Number(seconds));
  if (value < 0.9995) return `${Math.round(value * 1000)} ms`;
  if (value < 59.5) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
  const whole = Math.round(value);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} m`;
  return `${Math.floor(whole / 86400)} d ${Math.floor(whole / 3600) % 24} h`;
}

export function rate(perSecond) {
  if (missing(perSecond)) return NONE;
  const value = Number(perSecond);
  if (value > 0 && value < 0.1) return `${(value * 60).toFixed(1)} /min`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} /s`;
}

/** A moment of ISO 8601, in the time of who looks. */
export function moment(text) {
  if (!text) return NONE;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return NONE;
  const day = at.toDateString() === new Date().toDateString() ? "" : `${at.toLocaleDateString("sv")} `;
  return day + at.toLocaleTimeString("sv");
}

/** The beginning of a text that is too long for a row. */
export const shortened = (text, most = 200) => text.length > most ? `${text.slice(0, most)} …` : text;

export function bytes(value) {
  if (missing(value)) return NONE;
  let size = Number(value);
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (size < 1024) return `${size < 10 && unit !== "B" ? size.toFixed(1) : Math.round(size)} ${unit}`;
    size /= 1024;
  }
  return `${size.toFixed(1)} TiB`;
}
