// position: the pairs of a query and a key turn with their positions (RoPE); score over distance.
import { words } from "../language.mjs";
import { Figure, h, number, svg } from "./core.mjs";
import { dot, rope } from "./maths.mjs";

const WORDS = words({
  pair: { zh: (i) => `第 ${i} 对`, en: (i) => `pair ${i}` },
  queryM: { zh: "查询的位置 m", en: "query at m" },
  keyN: { zh: "键的位置 n", en: "key at n" },
  moveBoth: { zh: "一起后移", en: "move both on by" },
  atZero: { zh: "在位置 0，键", en: "at position 0, the key" },
  ahead: { zh: "与查询差 45°", en: "is 45° ahead" },
  query: { zh: "就是查询", en: "is the query" },
  curve: { zh: "点积 q·k，横轴是位置之差 m − n", en: "dot product q·k over the difference m − n" },
  summary: {
    zh: (query, key, far, sum, still) =>
      `查询在位置 ${query}，键在位置 ${key}，相差 ${number(far, 0)}。` +
      `四对相加：q·k = ${sum}；不转时是 ${number(still, 0)}。`,
    en: (query, key, far, sum, still) =>
      `Query at position ${query}, key at position ${key}, difference ${number(far, 0)}. ` +
      `The four pairs add up: q·k = ${sum}; without the turns it is ${number(still, 0)}.`,
  },
});

/** What each pair adds to the dot product of two rows. */
export const parts = (q, k) =>
  q.flatMap((_, i) => (i % 2 ? [] : [dot(q.slice(i, i + 2), k.slice(i, i + 2))]));

const four = (pair) => [pair, pair, pair, pair].flat();
const FAR = 40,
  SHIFT = 1000,
  SPEEDS = ["1", "0.1", "0.01", "0.001"];
const UNIT = 17,
  MIDDLE = [42, 66];
const LEFT = 34,
  WIDE = 296,
  TOP = 24,
  HIGH = 120; // the curve

const tip = ([x, y]) => [MIDDLE[0] + UNIT * x, MIDDLE[1] - UNIT * y];
const arrow = ([x, y]) => {
  const size = Math.hypot(x, y),
    [ahead, up] = [x / size, -y / size],
    [right, down] = tip([x, y]);
  const wing = (turn) =>
    `L${right - 7 * ahead - 3.5 * turn * up} ${down - 7 * up + 3.5 * turn * ahead}`;
  return `M${MIDDLE}L${right} ${down}${wing(1)}M${right} ${down}${wing(-1)}`;
};

class Positions extends Figure {
  static initial = { m: 3, n: 2, s: 0, k: "turned" };
  static valid = ({ m, n, s, k }) =>
    [m, n].every((x) => Number.isInteger(x) && x >= 0 && x <= FAR) &&
    Number.isInteger(s) &&
    s >= 0 &&
    s <= SHIFT &&
    ["turned", "same"].includes(k);

  build() {
    const text = (x, y, words, more = {}) =>
      svg("text", { x, y, "text-anchor": "middle", ...more }, words);
    const path = (more) => svg("path", { fill: "none", ...more });
    this.planes = SPEEDS.map((speed, i) => {
      const drawn = {
        start: path({ stroke: "currentColor", "stroke-opacity": 0.3, "stroke-dasharray": "2 3" }),
        k: path({ stroke: "var(--qkv-k)", "stroke-width": 2 }),
        q: path({ stroke: "var(--qkv-q)", "stroke-width": 3 }),
        adds: text(MIDDLE[0], 136, "", { "font-weight": 650 }),
      };
      const node = svg(
        "g",
        { transform: `translate(${85 * i} 0)` },
        svg("circle", {
          cx: MIDDLE[0],
          cy: MIDDLE[1],
          r: 2 * UNIT,
          fill: "none",
          stroke: "var(--qkv-line)",
          "stroke-opacity": 0.4,
        }),
        Object.values(drawn),
        text(MIDDLE[0], 14, WORDS.pair(i)),
        text(MIDDLE[0], 118, `θ = ${speed}`),
      );
      return { node, ...drawn };
    });
    const drawing = { fill: "currentColor", "font-size": 12 };
    const middle = TOP + HIGH / 2,
      x = (far) => LEFT + (WIDE * (far + FAR)) / (2 * FAR);
    this.curve = path({ stroke: "var(--qkv-heat)", "stroke-width": 2 });
    this.mark = path({ stroke: "currentColor", "stroke-dasharray": "4 3" });
    this.spot = svg("circle", { r: 5, fill: "var(--qkv-heat)", stroke: "currentColor" });
    this.ends = [0, HIGH].map((y) => text(LEFT - 5, TOP + y + 4, "", { "text-anchor": "end" }));
    const ticks = [-FAR, -FAR / 2, 0, FAR / 2, FAR].map((far) =>
      text(x(far), TOP + HIGH + 20, number(far, 0)),
    );
    return [
      this.slider("m", { label: WORDS.queryM, min: 0, max: FAR }),
      this.slider("n", { label: WORDS.keyN, min: 0, max: FAR }),
      this.slider("s", { label: WORDS.moveBoth, min: 0, max: SHIFT }),
      this.choice("k", {
        label: WORDS.atZero,
        options: [
          ["turned", WORDS.ahead],
          ["same", WORDS.query],
        ],
      }),
      h(
        "div",
        { class: "play__row play__pair" },
        svg(
          "svg",
          { viewBox: "0 0 340 144", width: 340, ...drawing },
          this.planes.map(({ node }) => node),
        ),
        svg(
          "svg",
          { viewBox: "0 0 340 186", width: 340, ...drawing },
          text(0, 12, WORDS.curve, { "text-anchor": "start", "font-weight": 600 }),
          path({
            d:
              `M${LEFT} ${TOP}V${TOP + HIGH}M${LEFT} ${middle}H${LEFT + WIDE}` +
              `M${x(0)} ${TOP}V${TOP + HIGH}`,
            stroke: "var(--qkv-line)",
            "stroke-opacity": 0.7,
          }),
          text(LEFT - 5, middle + 4, "0", { "text-anchor": "end" }),
          this.ends,
          ticks,
          this.mark,
          this.curve,
          this.spot,
        ),
      ),
    ];
  }

  draw() {
    const { m, n, s } = this.state,
      Q = four(this.data.q),
      K = this.state.k === "same" ? Q : four(this.data.k),
      most = 4 * Math.hypot(...Q.slice(0, 2)) * Math.hypot(...K.slice(0, 2));
    const [q, k] = rope([Q, K], [m + s, n + s]),
      adds = parts(q, k),
      limit = Math.ceil(most / 4) * 4;
    this.planes.forEach((plane, i) => {
      const two = (row) => row.slice(2 * i, 2 * i + 2);
      plane.q.setAttribute("d", arrow(two(q)));
      plane.k.setAttribute("d", arrow(two(k)));
      plane.start.setAttribute("d", [Q, K].map((row) => `M${MIDDLE}L${tip(two(row))}`).join(""));
      plane.adds.textContent = number(adds[i], 3);
    });
    const x = (far) => LEFT + (WIDE * (far + FAR)) / (2 * FAR),
      y = (score) => TOP + (HIGH * (limit - score)) / (2 * limit);
    const points = Array.from({ length: 8 * FAR + 1 }, (_, i) => {
      const far = i / 4 - FAR;
      return `${x(far).toFixed(1)} ${y(dot(rope([Q], [far])[0], K)).toFixed(1)}`;
    });
    this.curve.setAttribute("d", `M${points.join("L")}`);
    this.ends.forEach((end, i) => {
      end.textContent = number(i ? -limit : limit, 0);
    });
    const score = dot(q, k),
      far = m - n;
    this.mark.setAttribute("d", `M${x(far)} ${TOP}V${TOP + HIGH}`);
    this.spot.setAttribute("cx", x(far));
    this.spot.setAttribute("cy", y(score));
    const terms = adds.map((part) => (part < 0 ? `(${number(part, 3)})` : number(part, 3)));
    const sum = `${terms.join(" + ")} = ${number(score, 3)}`;
    return WORDS.summary(m + s, n + s, far, sum, dot(Q, K));
  }
}

customElements.define("qkv-positions", Positions);
