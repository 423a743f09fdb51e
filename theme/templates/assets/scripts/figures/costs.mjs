// What each token of a decoder cost, with its cache and without: seconds above, bytes below.
import { words } from "../language.mjs";
import { written } from "./bytes.mjs";
import { number, svg } from "./core.mjs";

const WORDS = words({
  chart: {
    zh: (n) => `每个词元用的时间和缓存占的字节，到第 ${n} 个词元`,
    en: (n) => `time of each token and bytes of the cache, up to token ${n}`,
  },
  seconds: { zh: "秒／词元", en: "seconds a token" },
  bytes: { zh: "缓存", en: "cache" },
  with: { zh: "有缓存", en: "with" },
  without: { zh: "没有缓存", en: "without" },
  before: { zh: "前面的词元数", en: "tokens before" },
});

/** @typedef {{ n: number, cached: boolean, seconds: number, bytes: number }} Point n tokens before */

const LEFT = 46,
  RIGHT = 330;
const WAYS = [
  { cached: true, colour: "var(--qkv-k)", name: WORDS.with },
  { cached: false, colour: "var(--qkv-line)", name: WORDS.without },
];

/** The next of 1, 2, 5, 10, … */
export const roundUp = (x) => {
  const power = 10 ** Math.floor(Math.log10(x));
  return power * [1, 2, 5, 10].find((step) => step * power >= x * 0.999);
};

/** An empty chart, for `draw`. */
export const chart = () => svg("svg", { viewBox: "0 0 340 250", width: 340, height: 250 });

/**
 * The last point that each way has for each number of tokens, in order.
 * @param {Point[]} points
 * @param {boolean} cached
 */
export const lineOf = (points, cached) => {
  const own = new Map(points.filter((one) => one.cached === cached).map((one) => [one.n, one]));
  return [...own.values()].sort((a, b) => a.n - b.n);
};

/** Points of neighbouring numbers of tokens; between others there is no line. @param {Point[]} line */
export const runs = (line) =>
  line.reduce((all, one) => {
    if (all.at(-1)?.at(-1).n === one.n - 1) all.at(-1).push(one);
    else all.push([one]);
    return all;
  }, /** @type {Point[][]} */ ([]));

/**
 * @param {SVGElement} into
 * @param {Point[]} points
 * @param {number} marked  the number of tokens whose step is looked at
 */
export function draw(into, points, marked) {
  const ns = points.map(({ n }) => n);
  const least = Math.min(...ns),
    most = Math.max(...ns, least + 8);
  const x = (n) => LEFT + 6 + ((n - least) * (RIGHT - LEFT - 12)) / (most - least);
  const text = (said, at, how = {}) =>
    svg("text", { x: at[0], y: at[1], "font-size": 12, fill: "currentColor", ...how }, said);
  const panel = (top, bottom, of, write, title) => {
    const high = roundUp(Math.max(...points.map(of), 1e-3));
    const y = (v) => bottom - (v * (bottom - top)) / high;
    const lines = WAYS.flatMap(({ cached, colour, name }) => {
      const own = lineOf(points, cached);
      if (!own.length) return [];
      const place = (one) => [x(one.n), y(of(one))];
      const places = own.map(place);
      const end = places.at(-1);
      return [
        ...runs(own).map((run) =>
          svg("polyline", {
            points: run.map((one) => place(one).map((v) => v.toFixed(1))).join(" "),
            fill: "none",
            stroke: colour,
            "stroke-width": 2,
            "stroke-dasharray": cached ? null : "2 3",
          }),
        ),
        ...places.map(([cx, cy], i) =>
          svg("circle", { cx, cy, r: own[i].n === marked ? 4.5 : 2.5, fill: colour }),
        ),
        text(name, [Math.min(end[0], RIGHT - 4), Math.max(end[1] - 7, top + 2)], {
          "text-anchor": "end",
        }),
      ];
    });
    const axis = (v) => [
      svg("line", {
        x1: LEFT,
        x2: RIGHT,
        y1: y(v),
        y2: y(v),
        stroke: "var(--qkv-line)",
        "stroke-width": v ? 0.5 : 1,
      }),
      text(write(v), [LEFT - 4, y(v) + 4], { "text-anchor": "end" }),
    ];
    return [...axis(0), ...axis(high), text(title, [LEFT + 4, top - 6]), ...lines];
  };
  into.setAttribute("role", "img");
  into.setAttribute("aria-label", WORDS.chart(most));
  into.replaceChildren(
    ...panel(
      26,
      120,
      ({ seconds }) => seconds,
      (v) => number(v, v && v < 1 ? 1 : 0),
      WORDS.seconds,
    ),
    ...panel(
      160,
      210,
      ({ bytes }) => bytes / 2 ** 20,
      (v) => (v ? written(v * 2 ** 20) : "0"),
      WORDS.bytes,
    ),
    text(String(least), [x(least), 226], { "text-anchor": "middle" }),
    text(String(most), [x(most), 226], { "text-anchor": "middle" }),
    text(WORDS.before, [RIGHT, 244], { "text-anchor": "end" }),
  );
}
