/**
 * One line of a picture.
 *
 * @typedef {object} Series
 * @property {string} label what stands at its end
 * @property {"first" | "second" | "third"} colour the third is dashed
 * @property {{ x: number, y: number, min: number, max: number }[]} points from left to right
 */

/**
 * @typedef {object} Chart
 * @property {string} title of the picture
 * @property {string} xLabel what grows to the right
 * @property {string} yLabel what grows upwards
 * @property {Series[]} series the lines
 */

const WIDTH = 720;
const HEIGHT = 380;
const PLOT = { left: 76, right: 600, top: 48, bottom: 318 };

// Mid tones that stand out on white and on black; only the texts change with the theme.
const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #444; }
    .title { font-size: 15px; font-weight: 600; }
    .grid { stroke: #888; stroke-opacity: 0.3; }
    .line { fill: none; stroke-width: 2.5; }
    .first { stroke: #2f81f7; } .second { stroke: #d97a1d; } .third { stroke: #8b949e; }
    .third.line { stroke-dasharray: 5 4; }
    text.first { fill: #2f81f7; stroke: none; } text.second { fill: #d97a1d; stroke: none; }
    text.third { fill: #8b949e; stroke: none; }
    circle.first { fill: #2f81f7; } circle.second { fill: #d97a1d; } circle.third { fill: #8b949e; }
    @media (prefers-color-scheme: dark) { text { fill: #c9d1d9; } }`;

/**
 * Draws lines over a logarithmic x axis. The y axis is linear and begins at zero: a flat cost has to
 * look flat, and nothing flatter than it is.
 *
 * @param {Chart} chart
 * @returns {string} an SVG document
 */
export function drawChart({ title, xLabel, yLabel, series }) {
  const points = series.flatMap((line) => line.points);
  const ticks = niceTicks(Math.max(...points.map(({ max }) => max)));
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const x = logScale(xs);
  const y = (/** @type {number} */ value) =>
    PLOT.bottom - (value / (ticks.at(-1) ?? 1)) * (PLOT.bottom - PLOT.top);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
    `  <style>${STYLE}\n  </style>`,
    `  <text class="title" x="${PLOT.left}" y="22">${title}</text>`,
    ...ticks.map((tick) => yTick(y(tick), short(tick))),
    ...xs.map((value) => xTick(x(value), value.toLocaleString("en"))),
    `  <text x="${(PLOT.left + PLOT.right) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${xLabel} (logarithmic)</text>`,
    `  <text transform="translate(18 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">${yLabel}</text>`,
    ...series.map((line) => drawSeries(line, x, y)),
    ...legend(series, y),
    "</svg>",
    "",
  ].join("\n");
}

/** @typedef {(value: number) => number} Scale */

/**
 * @param {Series} series
 * @param {Scale} x
 * @param {Scale} y
 */
function drawSeries({ colour, points }, x, y) {
  const path = points.map((point) => `${round(x(point.x))},${round(y(point.y))}`).join(" ");
  return [
    `  <polyline class="line ${colour}" points="${path}"/>`,
    ...points.flatMap((point) => [
      `  <line class="${colour}" x1="${round(x(point.x))}" x2="${round(x(point.x))}" y1="${round(y(point.min))}" y2="${round(y(point.max))}"/>`,
      `  <circle class="${colour}" cx="${round(x(point.x))}" cy="${round(y(point.y))}" r="4"/>`,
    ]),
  ].join("\n");
}

/**
 * Names the lines at their ends, at least a line of text apart.
 *
 * @param {Series[]} series
 * @param {Scale} y
 */
function legend(series, y) {
  const ends = series
    .map((line) => ({ line, at: y(line.points.at(-1)?.y ?? 0) }))
    .sort((a, b) => a.at - b.at);
  let last = -Infinity;
  return ends.map(({ line, at }) => {
    last = Math.max(at, last + 16);
    return `  <text class="${line.colour}" x="${PLOT.right + 12}" y="${round(last + 4)}">${line.label}</text>`;
  });
}

/**
 * @param {number} y
 * @param {string} text
 */
function yTick(y, text) {
  return (
    `  <line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${round(y)}" y2="${round(y)}"/>\n` +
    `  <text x="${PLOT.left - 8}" y="${round(y + 4)}" text-anchor="end">${text}</text>`
  );
}

/**
 * @param {number} x
 * @param {string} text
 */
function xTick(x, text) {
  return (
    `  <line class="grid" x1="${round(x)}" x2="${round(x)}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>\n` +
    `  <text x="${round(x)}" y="${PLOT.bottom + 20}" text-anchor="middle">${text}</text>`
  );
}

/**
 * @param {number[]} values ascending
 * @returns {Scale}
 */
function logScale(values) {
  const from = Math.log(values[0] ?? 1);
  const span = Math.log(values.at(-1) ?? 1) - from || 1;
  return (value) =>
    PLOT.left + 20 + ((Math.log(value) - from) / span) * (PLOT.right - PLOT.left - 40);
}

/**
 * @param {number} max
 * @returns {number[]} from 0 to `max` or a little more, in steps of 1, 2 or 5
 */
function niceTicks(max) {
  const power = 10 ** Math.floor(Math.log10(max / 5));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power * 5 >= max) ?? 10);
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, index) => index * step);
}

/** @param {number} value */
function short(value) {
  if (value >= 1e6) return `${value / 1e6} M`;
  return value >= 1000 ? `${value / 1000} k` : String(value);
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
