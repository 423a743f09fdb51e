// queries-keys-values: one query dragged among four keys; the answer of the most similar key
// beside the mixture of all. `data-given` holds keys, values and names.
import { words } from "../language.mjs";
import { h, number, svg } from "./core.mjs";
import { argmax, attention } from "./maths.mjs";
import { Steps, numbers, products, rows, short } from "./steps.mjs";

const WORDS = words({
  editable: { zh: "点一下、按 + − 或直接输入来改", en: "tap it, press + − or type to change it" },
  score: { zh: "分数", en: "score" },
  attention: { zh: "权重", en: "weight" },
  legs: { zh: "腿数", en: "legs" },
  product: { zh: "相乘", en: "product" },
  scoresTimes: { zh: "分数乘以", en: "scores times" },
  sum: { zh: "合计", en: "sum" },
  output: { zh: "输出", en: "output" },
  summary: {
    zh: (names, best, answer, soft) =>
      `只取最大的：${names[best]}，答案 ${answer}。软查字典：答案 ${soft}。`,
    en: (names, best, answer, soft) =>
      `The largest score alone: ${names[best]}, answer ${answer}. The soft lookup: ${soft}.`,
  },
});

/** The best key's place, and everything of the soft look-up; `by` multiplies the scores. */
export const lookUp = (query, keys, values, by) => {
  const { scores, weights, output } = attention(
    [query],
    keys,
    values.map((value) => [value]),
    { scale: by },
  );
  return {
    best: argmax(scores[0]),
    scores: scores[0],
    weights: weights[0],
    output: output[0][0],
  };
};

const FACTORS = [
  ["0", "0"],
  ["sqrt", "1/√2"],
  ["1", "1"],
  ["10", "10"],
];
const factor = { 0: 0, sqrt: 2 ** -0.5, 1: 1, 10: 10 };
const UNIT = 64,
  LEFT = 34,
  BOTTOM = 232; // of the plane
const across = (x) => LEFT + UNIT * x,
  down = (y) => BOTTOM - UNIT * y;
const within = (x) => Math.max(0, Math.min(3, Math.round(x * 10) / 10));

class Dictionary extends Steps {
  get initial() {
    const { keys, values } = this.data;
    return { land: 1, water: 0, by: "1", k: keys.flat(), v: values };
  }

  static valid = ({ land, water, by, k, v }) =>
    [land, water].every((x) => x >= 0 && x <= 3) && by in factor && numbers(k, 8) && numbers(v, 4);

  build() {
    const { names, places } = this.data,
      now = () => this.now;
    const written = WORDS.editable;
    const column = (title, kind, head, from, of) => {
      const made = this.table({ title, kind, from }, of);
      return {
        node: made.node,
        fill: (values, more) =>
          made.fill(
            values.map((x) => [x]),
            { rows: names, columns: [head], decimals: 2, ...more },
          ),
      };
    };
    this.k = this.parameter("k", {
      title: "k",
      kind: "k",
      rows: names,
      columns: places,
      width: 2,
      from: () => written,
    });
    this.s = column(
      "s",
      "scores",
      WORDS.score,
      (i) =>
        `${short(factor[this.state.by], 2)} × ` +
        `(${products([this.state.land, this.state.water], now().keys[i], 1)})`,
      (i) => [[this.k, i, null]],
    );
    this.a = column(
      "a",
      "weights",
      WORDS.attention,
      (i) =>
        `e^${short(now().scores[i], 2)} ÷ (${now()
          .scores.map((x) => `e^${short(x, 2)}`)
          .join(" + ")})`,
      () => [[this.s, null, null]],
    );
    this.v = this.parameter("v", {
      title: "v",
      kind: "v",
      rows: names,
      columns: [WORDS.legs],
      width: 1,
      from: () => written,
    });
    this.shares = column(
      "a × v",
      "output",
      WORDS.product,
      (i) => `${short(now().weights[i], 3)}·${short(this.state.v[i])}`,
      (i) => [
        [this.a, i, 0],
        [this.v, i, 0],
      ],
    );
    this.o = this.table(
      {
        title: "o",
        kind: "output",
        from: () =>
          now()
            .weights.map((weight, i) => short(weight * this.state.v[i], 2))
            .join(" + "),
      },
      () => [[this.shares, null, 0]],
    );

    const line = (d, more = {}) =>
      svg("path", { d, fill: "none", stroke: "var(--qkv-line)", ...more });
    const label = (x, y, anchor, text) =>
      svg("text", { x, y, "text-anchor": anchor, fill: "currentColor", "font-size": 12 }, text);
    this.dots = names.map((name) => [
      svg("circle", { fill: "var(--qkv-k)", "fill-opacity": 0.35, stroke: "var(--qkv-k)" }),
      label(0, 0, "start", name),
    ]);
    this.arrow = line("", { stroke: "var(--qkv-q)", "stroke-width": 2.5 });
    this.query = label(0, 0, "start", "q");
    const move = (event) => {
      const box = this.plane.getBoundingClientRect(),
        size = this.plane.viewBox.baseVal;
      const x = ((event.clientX - box.left) * size.width) / box.width,
        y = ((event.clientY - box.top) * size.height) / box.height;
      this.set({ land: within((x - LEFT) / UNIT), water: within((BOTTOM - y) / UNIT) });
    };
    this.handle = svg("circle", {
      r: 13,
      fill: "var(--qkv-q)",
      "fill-opacity": 0.25,
      stroke: "var(--qkv-q)",
      "stroke-width": 2,
      "data-drag": true,
      onpointerdown: (event) => {
        this.handle.setPointerCapture(event.pointerId);
        event.preventDefault();
      },
      onpointermove: (event) => {
        if (this.handle.hasPointerCapture(event.pointerId)) move(event);
      },
    });
    this.plane = svg(
      "svg",
      { viewBox: "0 0 280 278", width: 280, height: 278, "aria-hidden": "true" },
      line(`M${LEFT} ${down(3.2)}V${BOTTOM}H${across(3.4)}`),
      label(across(1.5), BOTTOM + 42, "middle", `${places[0]} →`),
      label(0, 11, "start", `↑ ${places[1]}`),
      ...[1, 2, 3].flatMap((x) => [
        label(across(x), BOTTOM + 26, "middle", x),
        label(LEFT - 18, down(x) + 4, "end", x),
      ]),
      ...this.dots.flat(),
      this.arrow,
      this.query,
      this.handle,
    );
    this.stage = h(
      "div",
      { class: "play__stage" },
      this.line([this.k, this.s, this.a, this.v]),
      this.line([this.shares, "→", this.o]),
    );
    const slider = (key, place) =>
      this.slider(key, {
        label: `q ${place}`,
        min: 0,
        max: 3,
        step: 0.1,
        show: (x) => number(x, 1),
      });
    return [
      h(
        "div",
        { class: "play__row play__pair" },
        this.plane,
        h(
          "div",
          { class: "play__knobs" },
          slider("land", places[0]),
          slider("water", places[1]),
          this.choice("by", { label: WORDS.scoresTimes, options: FACTORS }),
        ),
      ),
      this.stage,
      this.editor(),
    ];
  }

  draw() {
    const { names } = this.data,
      { land, water, by, v } = this.state,
      keys = rows(this.state.k, 2);
    const now = (this.now = { keys, ...lookUp([land, water], keys, v, factor[by]) }),
      { best } = now;
    this.k.fill({ chosen: (i) => i === best });
    this.s.fill(now.scores, { chosen: (i) => i === best });
    this.a.fill(now.weights);
    this.v.fill();
    this.shares.fill(
      now.weights.map((weight, i) => weight * v[i]),
      { limit: Math.max(...v.map(Math.abs), 1) },
    );
    this.o.fill([[now.output]], {
      rows: [WORDS.sum],
      columns: [WORDS.output],
      decimals: 2,
      limit: Math.max(...v.map(Math.abs), 1),
    });
    keys.forEach(([x, y], i) => {
      const [dot, text] = this.dots[i],
        r = 3 + 14 * now.weights[i] ** 0.5;
      dot.setAttribute("cx", across(x));
      dot.setAttribute("cy", down(y));
      dot.setAttribute("r", r);
      text.setAttribute("x", across(x) + 0.7 * r + 2);
      text.setAttribute("y", down(y) - 0.7 * r - 3);
    });
    this.arrow.setAttribute("d", `M${LEFT} ${BOTTOM}L${across(land)} ${down(water)}`);
    this.handle.setAttribute("cx", across(land));
    this.handle.setAttribute("cy", down(water));
    this.query.setAttribute("x", across(land) + 12);
    this.query.setAttribute("y", down(water) - 12);
    this.show();
    const answer = short(v[best], 2),
      soft = number(now.output);
    return WORDS.summary(names, best, answer, soft);
  }
}

customElements.define("qkv-dictionary", Dictionary);
