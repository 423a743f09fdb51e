// cross-attention: a sentence that asks, one that is read, and what goes from one to the other.
import { words } from "../language.mjs";
import { Figure, desk, h, number, svg } from "./core.mjs";
import { argmax, attention, causalMask, matmul } from "./maths.mjs";

const WORDS = words({
  english: { zh: "英文", en: "English" },
  chinese: { zh: "中文", en: "Chinese" },
  quoteAsking: { zh: (asking, i) => `“${asking[i]}”`, en: (asking, i) => asking[i] },
  quoteRead: { zh: (sources, j) => `“${sources[j]}”`, en: (sources, j) => sources[j] },
  x: { zh: "X，提问", en: "X, asks" },
  byHand: { zh: "输入，手选的", en: "input, chosen by hand" },
  fromX: { zh: (named, i) => `${named(i)}的 X × W_Q`, en: (named, i) => `X of ${named(i)} × W_Q` },
  c: { zh: "C，被读", en: "C, is read" },
  keyFrom: { zh: (read, j) => `${read(j)}的 C × W_K`, en: (read, j) => `C of ${read(j)} × W_K` },
  valueFrom: { zh: (read, j) => `${read(j)}的 C × W_V`, en: (read, j) => `C of ${read(j)} × W_V` },
  attentionWeights: { zh: "注意力权重", en: "attention weights" },
  hiddenCausalMask: { zh: "被因果掩码遮住", en: "hidden by the causal mask" },
  fromQueryAndKey: {
    zh: (named, i, read, j, scores) =>
      `${named(i)}的查询 · ${read(j)}的键 ÷ √${D_K} = ${number(scores[i][j])}，再 softmax`,
    en: (named, i, read, j, scores) =>
      `query of ${named(i)} · key of ${read(j)} ÷ √${D_K} = ${number(scores[i][j])}, ` +
      "then softmax",
  },
  weightsTimesV: { zh: "V 各行 × 它的权重", en: "each row of V × its weight" },
  output: { zh: "输出", en: "output" },
  swapSides: { zh: "对调两边", en: "Swap the sides" },
  asksQ: { zh: "提问（Q）", en: "asks (Q)" },
  readKV: { zh: "被读（K、V）", en: "is read (K, V)" },
  word: { zh: "看哪个词", en: "which word" },
  queriesMultiplied: { zh: "查询放大几倍", en: "queries multiplied by" },
  addCausalMask: { zh: "加上因果掩码（这里不该用）", en: "add a causal mask (wrong here)" },
  hint: {
    zh: "这些数是手选的，不是训练来的。点 X 和 C 的格子可以改。",
    en: "The numbers are chosen by hand, not learned. Tap a cell of X or C to change it.",
  },
  theEnglish: { zh: "英文", en: "the English" },
  theChinese: { zh: "中文", en: "the Chinese" },
  share: {
    zh: (name, weights, word, j) => `“${name}”${number(weights[word][j])}`,
    en: (name, weights, word, j) => `${name} ${number(weights[word][j])}`,
  },
  looks: {
    zh: (asking, word, most, got) =>
      `“${asking[word]}”看${most.join("、")}，取回${got.join("、") || " 0"}。`,
    en: (asking, word, most, got) =>
      `${asking[word]} looks at ${most.join(", ")} and receives ${got.join(", ") || "0"}.`,
  },
  maySeeNothing: {
    zh: (asking, word) => `“${asking[word]}”什么也看不到，输出是 0。`,
    en: (asking, word) => `${asking[word]} may see nothing; its output is 0.`,
  },
  shapes: {
    zh: (shape, q, language, ask, k, v, read, weights, output) =>
      `Q ${shape(q)} 来自${language(ask)}；K ${shape(k)} 和 V ${shape(v)} ` +
      `来自${language(read)}；注意力权重 ${shape(weights)}，输出 ${shape(output)}。`,
    en: (shape, q, language, ask, k, v, read, weights, output) =>
      `Q ${shape(q)} comes from ${language(ask)}, K ${shape(k)} and V ${shape(v)} ` +
      `from ${language(read)}; attention weights ${shape(weights)}, output ` +
      `${shape(output)}.`,
  },
  selfAttention: {
    zh: "两边是同一句：这就是自注意力。",
    en: "Both sides are one sentence: this is self-attention.",
  },
  space: { zh: "", en: " " },
});

const D_K = 4;
const eye = (rows, columns, size = 1) =>
  Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => (i === j ? size : 0)),
  );
/** x asks, c is read; W_Q, W_K and W_V are the page's: as many columns as there are, W_Q larger. */
export const cross = (x, c, gain, mask) => {
  const q = matmul(x, eye(x[0].length, D_K, gain)),
    k = matmul(c, eye(c[0].length, D_K)),
    v = matmul(c, eye(c[0].length, c[0].length));
  return { q, k, v, ...attention(q, k, v, { mask }) };
};
const WIDTHS = { en: 4, zh: 5 }; // also the number of words

class Cross extends Figure {
  get initial() {
    const { x, c } = this.data;
    return { ask: "en", read: "zh", word: 1, gain: 10, causal: 0, en: x.flat(), zh: c.flat() };
  }

  static valid = ({ ask, read, word, gain, causal, en, zh }) =>
    ask in WIDTHS &&
    read in WIDTHS &&
    Number.isInteger(word) &&
    word >= 0 &&
    word < WIDTHS[ask] &&
    Number.isInteger(gain) &&
    gain >= 0 &&
    gain <= 20 &&
    [0, 1].includes(causal) &&
    en.length === WIDTHS.en ** 2 &&
    zh.length === WIDTHS.zh ** 2 &&
    [...en, ...zh].every((bit) => bit === 0 || bit === 1);

  build() {
    const sides = [
      ["en", WORDS.english],
      ["zh", WORDS.chinese],
    ];
    const named = (i) => WORDS.quoteAsking(this.asking, i),
      read = (j) => WORDS.quoteRead(this.sources, j);
    const flip = (side) => (i, j) =>
      this.set({
        [this.state[side]]: this.state[this.state[side]].map((bit, at) =>
          at === i * WIDTHS[this.state[side]] + j ? 1 - bit : bit,
        ),
      });
    const follow = (i) => this.set({ word: i }),
      weight = (i, j) => number(this.found.weights[i][j], 3);
    this.x = this.grid({
      title: WORDS.x,
      kind: "x",
      decimals: 0,
      act: flip("ask"),
      from: () => WORDS.byHand,
    });
    this.q = this.grid({
      title: "Q",
      kind: "q",
      decimals: 0,
      act: follow,
      from: (i) => WORDS.fromX(named, i),
    });
    this.c = this.grid({
      title: WORDS.c,
      kind: "x",
      decimals: 0,
      act: flip("read"),
      from: () => WORDS.byHand,
    });
    this.k = this.grid({
      title: "K",
      kind: "k",
      decimals: 0,
      from: (j) => WORDS.keyFrom(read, j),
    });
    this.v = this.grid({
      title: "V",
      kind: "v",
      decimals: 0,
      from: (j) => WORDS.valueFrom(read, j),
    });
    this.weights = this.grid({
      title: WORDS.attentionWeights,
      act: follow,
      from: (i, j) =>
        this.found.scores[i][j] === -Infinity
          ? WORDS.hiddenCausalMask
          : WORDS.fromQueryAndKey(named, i, read, j, this.found.scores),
    });
    this.parts = this.grid({
      title: WORDS.weightsTimesV,
      kind: "v",
      from: (j, at) => `${weight(this.state.word, j)} × ${number(this.found.v[j][at], 0)}`,
    });
    this.output = this.grid({
      title: WORDS.output,
      kind: "output",
      act: follow,
      from: (i, j) =>
        this.found.v.map((row, at) => `${weight(i, at)} × ${number(row[j], 0)}`).join(" + "),
    });
    this.lines = svg("svg", {
      viewBox: "0 0 340 136",
      width: 340,
      height: 136,
      "aria-hidden": "true",
      class: "play__align",
    });
    this.swap = h(
      "button",
      {
        type: "button",
        onclick: () => {
          const { ask, read } = this.state,
            row = this.found.weights[this.state.word];
          this.set({ ask: read, read: ask, word: argmax(row) });
        },
      },
      WORDS.swapSides,
    );
    return [
      this.pick("ask", {
        label: WORDS.asksQ,
        options: () => sides,
        chosen: () => this.state.ask,
        act: (ask) => this.set({ ask, word: Math.min(this.state.word, WIDTHS[ask] - 1) }),
      }),
      this.choice("read", { label: WORDS.readKV, options: sides }),
      h("p", { class: "play__bar" }, this.swap),
      this.toggle("causal", { label: WORDS.addCausalMask }),
      desk(
        this.pick("word", {
          label: WORDS.word,
          options: () => this.data[this.state.ask].map((word, i) => [i, word]),
          chosen: () => this.state.word,
          act: (word) => this.set({ word }),
        }),
        this.slider("gain", { label: WORDS.queriesMultiplied, min: 0, max: 20 }),
      ),
      this.lines,
      h("p", { class: "play__hint" }, WORDS.hint),
      h(
        "div",
        { class: "play__row play__pair" },
        [this.x, this.q].map(({ node }) => node),
      ),
      h(
        "div",
        { class: "play__row play__pair" },
        [this.c, this.k, this.v].map(({ node }) => node),
      ),
      h(
        "div",
        { class: "play__row play__pair" },
        [this.weights, this.parts, this.output].map(({ node }) => node),
      ),
    ];
  }

  draw() {
    const { ask, read, word, gain } = this.state,
      { features } = this.data;
    const rows = (side) =>
      Array.from({ length: WIDTHS[side] }, (_, i) =>
        this.state[side].slice(i * WIDTHS[side], (i + 1) * WIDTHS[side]),
      );
    const asking = (this.asking = this.data[ask]),
      reading = (this.sources = this.data[read]),
      x = rows(ask),
      c = rows(read);
    const found = (this.found = cross(
        x,
        c,
        gain,
        this.state.causal ? causalMask(asking.length, reading.length) : null,
      )),
      { q, k, v, weights, output } = found;
    const wide = features.slice(0, v[0].length),
      chosen = (i) => i === word;
    this.swap.disabled = ask === read;
    this.x.fill(x, { rows: asking, columns: features.slice(0, x[0].length), limit: 1, chosen });
    this.q.fill(q, { rows: asking, columns: features.slice(0, D_K), chosen });
    this.c.fill(c, { rows: reading, columns: wide, limit: 1 });
    this.k.fill(k, { rows: reading, columns: features.slice(0, D_K) });
    this.v.fill(v, { rows: reading, columns: wide });
    this.weights.fill(weights, { rows: asking, columns: reading, chosen });
    this.parts.fill(
      v.map((row, j) => row.map((value) => weights[word][j] * value)),
      { rows: reading, columns: wide, limit: 1 },
    );
    this.output.fill(output, { rows: asking, columns: wide, limit: 1, chosen });
    this.align(asking, reading, weights, word);

    const language = (side) => (side === "en" ? WORDS.theEnglish : WORDS.theChinese);
    const shape = (matrix) => `(${matrix.length}, ${matrix[0].length})`;
    const most = reading.flatMap((name, j) =>
      weights[word][j] >= 0.1 ? [WORDS.share(name, weights, word, j)] : [],
    );
    const got = wide.flatMap((name, j) =>
      output[word][j] >= 0.1 ? [`${name} ${number(output[word][j])}`] : [],
    );
    return [
      most.length ? WORDS.looks(asking, word, most, got) : WORDS.maySeeNothing(asking, word),
      WORDS.shapes(shape, q, language, ask, k, v, read, weights, output),
      ask === read ? WORDS.selfAttention : "",
    ]
      .filter(Boolean)
      .join(WORDS.space);
  }

  /** Two rows of words and the attention weights between them. */
  align(asking, reading, weights, word) {
    const place = (at, n) => (340 * (at + 0.5)) / n;
    const line = (i, j) =>
      svg("line", {
        x1: place(i, asking.length),
        y1: 28,
        x2: place(j, reading.length),
        y2: 108,
        stroke: i === word ? "var(--qkv-heat)" : "var(--qkv-line)",
        "stroke-width": (1 + 7 * weights[i][j]).toFixed(2),
        "stroke-opacity": (i === word ? 0.15 + 0.85 * weights[i][j] : 0.4 * weights[i][j]).toFixed(
          2,
        ),
        "stroke-linecap": "round",
      });
    const text = (name, at, n, y, more) =>
      svg("text", { x: place(at, n), y, "text-anchor": "middle", "font-size": 15, ...more }, name);
    this.lines.replaceChildren(
      ...weights.flatMap((row, i) => (i === word ? [] : row.map((_, j) => line(i, j)))),
      ...reading.map((_, j) => line(word, j)),
      ...asking.map((name, i) =>
        text(name, i, asking.length, 20, {
          fill: "var(--qkv-q)",
          style: "cursor: pointer",
          "font-weight": i === word ? 700 : 400,
          onclick: () => this.set({ word: i }),
        }),
      ),
      ...reading.map((name, j) =>
        text(name, j, reading.length, 128, {
          fill: "var(--qkv-k)",
          "font-weight": weights[word][j] >= 0.1 ? 700 : 400,
        }),
      ),
    );
  }
}

customElements.define("qkv-cross", Cross);
