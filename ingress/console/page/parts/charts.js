// Lines over time, by uPlot, in the colours of the page.
import uPlot from "../vendor/uPlot.esm.js";
import { h } from "./dom.js";
import { count } from "./format.js";
import { empty } from "./states.js";

const COLOURS = ["--good-fill", "--warn-fill", "--bad-fill", "--series-4", "--series-5", "--series-6"];
// What is counted has no ticks between two whole numbers.
const WHOLE = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((zeros) => [1, 2, 5].map((each) => each * 10 ** zeros));

/**
 * lineChart({ title, times: [seconds], series: [{ label, values, colour, fill }], format, height })
 * `values` may hold null. It grows and shrinks with its place; `colour` is a name of colours.css.
 */
export function lineChart({ title, times, series, format = String, height = 230, signal }) {
  if (!times.length) return empty("No traffic in this time.");
  const holder = h("div", { class: "chart", role: "img", "aria-label": described(title, series, format) });
  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font: "12px system-ui, sans-serif" };
    const options = {
      width: Math.max(200, holder.clientWidth), height,
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high || 1) * 1.08] } },
      axes: [{ ...axis, values: clock }, { ...axis, incrs: format === count ? WHOLE : undefined, size: roomFor, values: (_, ticks) => ticks.map(format) }],
      series: [{ label: "Time", value: (_, at) => at === null ? "—" : new Date(at * 1000).toLocaleTimeString("sv") }, ...series.map((one, place) => line(one, colour(one.colour ?? COLOURS[place % COLOURS.length]), format))],
    };
    holder.replaceChildren();
    new uPlot(options, [times, ...series.map((one) => one.values)], holder);
  };
  const watch = new ResizeObserver(() => holder.isConnected && draw());
  watch.observe(holder);
  const themes = new MutationObserver(draw);
  themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  signal?.addEventListener("abort", () => { watch.disconnect(); themes.disconnect(); });
  return holder;
}

const line = (one, stroke, format) => ({
  label: one.label, stroke, width: 2, spanGaps: false,
  fill: one.fill ? `color-mix(in srgb, ${stroke} 18%, transparent)` : undefined,
  points: { show: one.values.filter((value) => value !== null).length < 20 },
  value: (_, value) => value === null || value === undefined ? "—" : format(value),
});

// As wide as the longest of its texts, at 12 px.
const roomFor = (_, texts) => 22 + 7 * Math.max(4, ...(texts ?? []).map((text) => text.length));

const clock = (_, ticks, __, ___, step) => ticks.map((at) => {
  const text = new Date(at * 1000);
  return step >= 86400 ? text.toLocaleDateString("sv").slice(5) : text.toLocaleTimeString("sv").slice(0, step < 60 ? 8 : 5);
});

function described(title, series, format) {
  const last = (values) => values.findLast((value) => value !== null && value !== undefined);
  const ends = series.map((one) => `${one.label} ${last(one.values) === undefined ? "without values" : format(last(one.values))}`);
  return `${title}; at the end: ${ends.join(", ")}`;
}
