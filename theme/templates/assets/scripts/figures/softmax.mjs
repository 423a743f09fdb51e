// why-sqrt-dk: eight scores as large as d_k makes them, a divisor, what softmax lets through, and
// how much it lets through for 2000 random queries (recorded: docs/data/why_sqrt_dk.py).
import { words } from "../language.mjs";
import { Figure, desk, h, number, svg } from "./core.mjs";
import { entropy, jacobian, norm, softmax } from "./maths.mjs";

const WORDS = words({
  scores: { zh: "除过的分数", en: "scores, divided" },
  fromSliders: {
    zh: "同一个随机数 × √d_k ÷ 除数 ÷ 温度",
    en: "the same random number × √d_k ÷ divisor ÷ temperature",
  },
  attentionWeights: { zh: "注意力权重", en: "attention weights" },
  softmaxRowScores: { zh: "那一行的 softmax", en: "softmax of that row" },
  jacobian: { zh: "雅可比矩阵", en: "Jacobian" },
  divideScores: { zh: "分数除以", en: "divide the scores by" },
  temperature: { zh: "温度", en: "temperature" },
  histogram: {
    zh: "雅可比矩阵范数的直方图，左右键逐条查看",
    en: "histogram of Jacobian norms; left and right keys go from bar to bar",
  },
  norms: {
    zh: "2000 个随机查询的雅可比矩阵范数",
    en: "Jacobian norms of 2000 random queries",
  },
  range: { zh: (from, to) => `${from} 到 ${to}`, en: (from, to) => `${from} to ${to}` },
  below: { zh: (to) => `低于 ${to}`, en: (to) => `below ${to}` },
  bar: {
    zh: (range, counts, i) => `范数 ${range}：${counts[i]} 个查询`,
    en: (range, counts, i) => `norm ${range}: ${counts[i]} queries`,
  },
  query: { zh: "查询", en: "query" },
  tallest: { zh: (count) => `最高：${count} 个查询`, en: (count) => `tallest: ${count} queries` },
  under: { zh: (part) => `小于 0.01：${part}`, en: (part) => `< 0.01: ${part}` },
  median: { zh: "中位数", en: "median" },
  mean: { zh: "平均", en: "mean" },
  queryAbove: { zh: "上面这个查询：", en: "this query: " },
  summary: {
    zh: (largest, spread, own, median, mean, below) =>
      `这个查询：最大的注意力权重 ${largest}，熵是平均分配时的 ${spread}，雅可比矩阵的范数 ${own}。2000 个随机查询：范数的中位数 ` +
      `${median}，平均 ${mean}，小于 0.01 的占 ${share(below)}。`,
    en: (largest, spread, own, median, mean, below) =>
      `This query: largest attention weight ${largest}, entropy ${spread} (1 for ` +
      `equal shares), norm of the Jacobian ${own}. 2000 random queries: median norm ` +
      `${median}, mean ${mean}, below 0.01 in ${share(below)} of them.`,
  },
});

const DIVISORS = [
  ["1", "1"],
  ["sqrt", "√d_k"],
  ["d_k", "d_k"],
  ["model", "√d_model"],
];

/** Twice log2(divisor * temperature), where d_k = 2^d, the temperature is 2^t and d_model 512. */
export const halfPowers = (d, by, t) => ({ 1: 0, sqrt: d, d_k: 2 * d, model: 9 })[by] + 2 * t;

/** What the figure shows of one query. */
export const oneQuery = (scores, d, by, t) => {
  const divided = scores.map((score) => score * 2 ** ((d - halfPowers(d, by, t)) / 2));
  const weights = softmax(divided),
    passed = jacobian(weights);
  return {
    scores: divided,
    weights,
    jacobian: passed,
    norm: norm(passed.flat()),
    entropy: entropy(weights) / Math.log(scores.length),
  };
};

const LEFT = 32,
  WIDTH = 5.7,
  FLOOR = 194,
  HIGH = 110,
  N_BINS = 49; // bin 0: below all others
const raised = (power) =>
  String(power).replace(/[-\d]/g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);
const small = (x) => {
  if (x >= 0.01 || x === 0) return number(x);
  const [digits, power] = x.toExponential(1).split("e");
  return `${digits}×10${raised(Number(power))}`;
};
const share = (x) => `${number(100 * x, x > 0 && x < 0.01 ? 1 : 0)}%`;

class Softmax extends Figure {
  static initial = { d: 6, by: "1", t: 0 };
  static valid = ({ d, by, t }) =>
    Number.isInteger(d) &&
    d >= 0 &&
    d <= 10 &&
    DIVISORS.some(([name]) => name === by) &&
    Number.isInteger(t) &&
    Math.abs(t) <= 3;

  build() {
    this.scores = this.grid({
      title: WORDS.scores,
      kind: "scores",
      decimals: 1,
      from: () => WORDS.fromSliders,
    });
    this.weights = this.grid({
      title: WORDS.attentionWeights,
      from: () => WORDS.softmaxRowScores,
    });
    this.passed = this.grid({
      title: WORDS.jacobian,
      kind: "scores",
      from: (i, j) => `a${i + 1}(${i === j ? "1" : "0"} − a${j + 1})`,
    });
    return [
      desk(
        this.slider("d", { label: "d_k", min: 0, max: 10, show: (d) => String(2 ** d) }),
        this.choice("by", { label: WORDS.divideScores, options: DIVISORS }),
        this.slider("t", {
          label: WORDS.temperature,
          min: -3,
          max: 3,
          show: (t) => (t < 0 ? `1/${2 ** -t}` : String(2 ** t)),
        }),
      ),
      h("div", { class: "play__row play__pair" }, this.scores.node, this.weights.node),
      h("div", { class: "play__row play__pair" }, this.passed.node, this.histogram()),
    ];
  }

  /** Bars of which one can be asked for its number: by pointing, or with the arrow keys. */
  histogram() {
    const text = (x, y, words, more = {}) => svg("text", { x, y, ...more }, words);
    const ticks = [-8, -6, -4, -2, 0].map((power) =>
      text(this.place(10 ** power), FLOOR + 28, power ? `10${raised(power)}` : "1", {
        "text-anchor": "middle",
      }),
    );
    this.bars = Array.from({ length: N_BINS }, (_, i) =>
      svg("rect", { x: LEFT + WIDTH * i, width: WIDTH - 1, fill: "var(--qkv-heat)" }),
    );
    const line = { stroke: "currentColor", "stroke-width": 2 };
    this.parts = {
      most: text(LEFT, FLOOR - HIGH - 6, ""),
      below: text(178, 56, ""),
      median: svg("path", line),
      mean: svg("path", { ...line, "stroke-dasharray": "4 3" }),
      own: svg("path", { fill: "currentColor" }),
      medianText: text(8, 36, ""),
      meanText: text(168, 36, ""),
      ownText: text(16, 56, ""),
    };
    const ask = (i) => {
      this.bin = Math.max(0, Math.min(N_BINS - 1, i));
      this.mark();
      this.tell(this.picture.getAttribute("aria-valuetext"));
    };
    const forget = () => {
      if (this.picture !== document.activeElement) {
        this.bin = null;
        this.mark();
      }
      this.tell();
    };
    const under = (event) => {
      const { left, width } = this.picture.getBoundingClientRect();
      ask(Math.floor((((event.clientX - left) / width) * 320 - LEFT) / WIDTH));
    };
    this.picture = svg(
      "svg",
      {
        viewBox: "0 0 320 228",
        width: 320,
        role: "slider",
        tabindex: 0,
        fill: "currentColor",
        "font-size": 12,
        "aria-label": WORDS.histogram,
        "aria-valuemin": 0,
        "aria-valuemax": N_BINS - 1,
        onpointermove: under,
        onpointerdown: under,
        onpointerleave: forget,
        onblur: forget,
        onfocus: () => {
          if (this.bin == null) ask(this.fullest);
        },
        onkeydown: (event) => {
          const move = {
            ArrowLeft: -1,
            ArrowDown: -1,
            ArrowRight: 1,
            ArrowUp: 1,
            Home: -99,
            End: 99,
          }[event.key];
          if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
          ask(this.bin + move);
          event.preventDefault();
          event.stopPropagation();
        },
      },
      text(0, 12, WORDS.norms, { "font-weight": 600 }),
      svg("path", {
        d: `M160 46h12v12h-12zM${LEFT} ${FLOOR - HIGH}H${this.place(0.01)}V${FLOOR}H${LEFT}z`,
        fill: "var(--qkv-line)",
        "fill-opacity": 0.24,
      }),
      svg("path", { d: `M${LEFT} ${FLOOR}H${LEFT + N_BINS * WIDTH}`, stroke: "var(--qkv-line)" }),
      this.bars,
      ticks,
      Object.values(this.parts),
    );
    return this.picture;
  }

  place(size) {
    const bins = (Math.log10(size) - this.data.lowest) * this.data.bins_per_decade;
    return LEFT + WIDTH * (1 + Math.max(-0.5, bins));
  }

  mark() {
    const { bin = null } = this,
      i = bin ?? this.fullest,
      { lowest, bins_per_decade: each } = this.data;
    this.bars.forEach((bar, j) =>
      bar.setAttribute("fill", j === bin ? "currentColor" : "var(--qkv-heat)"),
    );
    const [from, to] = [i - 1, i].map((edge) => small(10 ** (lowest + edge / each)));
    const range = i ? WORDS.range(from, to) : WORDS.below(to);
    this.picture.setAttribute("aria-valuenow", i);
    this.picture.setAttribute("aria-valuetext", WORDS.bar(range, this.counts, i));
  }

  draw() {
    const { d, by, t } = this.state,
      query = oneQuery(this.data.scores, d, by, t);
    const keys = query.scores.map((_, j) => j + 1),
      names = { rows: [WORDS.query], columns: keys };
    this.scores.fill([query.scores], names);
    this.weights.fill([query.weights], names);
    this.passed.fill(query.jacobian, { rows: keys, columns: keys, limit: 0.25 });

    const row = this.data.histograms.find(
      (one) => one.d_k === 2 ** d && one.half_powers === halfPowers(d, by, t),
    );
    this.counts = Array(N_BINS).fill(0);
    this.counts[0] = row.lower;
    row.counts.forEach((count, i) => {
      this.counts[row.first + i + 1] = count;
    });
    const most = Math.max(...this.counts);
    this.fullest = this.counts.indexOf(most);
    this.bars.forEach((bar, i) => {
      const tall = (HIGH * this.counts[i]) / most;
      bar.setAttribute("y", FLOOR - tall);
      bar.setAttribute("height", tall);
    });
    const { parts } = this,
      below = row["below_0.01"];
    parts.most.textContent = WORDS.tallest(most);
    parts.below.textContent = WORDS.under(share(below));
    for (const [name, x, words] of /** @type {[string, number, string][]} */ ([
      ["median", 0, WORDS.median],
      ["mean", 160, WORDS.mean],
    ])) {
      parts[name].setAttribute(
        "d",
        `M${x + 1} 24v14M${this.place(row[name])} ${FLOOR}V${FLOOR - HIGH}`,
      );
      parts[`${name}Text`].textContent = `${words} ${small(row[name])}`;
    }
    parts.own.setAttribute(
      "d",
      `M0 57l5 -10 5 10zM${this.place(query.norm) - 5} ${FLOOR + 13}l5 -10 5 10z`,
    );
    parts.ownText.textContent = `${WORDS.queryAbove}${small(query.norm)}`;
    this.mark();
    const largest = number(Math.max(...query.weights)),
      spread = number(query.entropy),
      [median, mean, own] = [row.median, row.mean, query.norm].map(small);
    return WORDS.summary(largest, spread, own, median, mean, below);
  }
}

customElements.define("qkv-softmax", Softmax);
