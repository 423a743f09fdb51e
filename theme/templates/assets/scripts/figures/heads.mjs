// multi-head: the same sentence through one, two or four heads, and what each adds to the output.
import { words } from "../language.mjs";
import { Figure, desk, h, number } from "./core.mjs";
import { attention, matmul } from "./maths.mjs";

const WORDS = words({
  head: { zh: (i) => `头 ${i}`, en: (i) => `head ${i}` },
  input: { zh: "输入：每个头读的都是整个 X", en: "input: every head reads the whole of X" },
  columnOf: {
    zh: (span, at) => `参数：大矩阵 W_Q 的第 ${span(at)} 列，四行都在`,
    en: (span, at) => `parameter: column ${span(at)} of the large W_Q, all four rows`,
  },
  rowTimesColumn: {
    zh: (words, i, index, at, j) =>
      `“${words[i]}”的四个数与 W_Q${index[at]} 第 ${j + 1} 列相乘再相加`,
    en: (words, i, index, at, j) =>
      `all four numbers of ${words[i]} times column ${j + 1} of W_Q${index[at]}, added up`,
  },
  attentionWeights: {
    zh: (name) => `${name} 的注意力权重`,
    en: (name) => `attention weights, ${name}`,
  },
  scoresThenSoftmax: {
    zh: (words, i, name, n) => `“${words[i]}”在${name} 里的一行分数 ÷ √${4 / n}，再 softmax`,
    en: (words, i, name, n) => `scores of ${words[i]} in ${name} ÷ √${4 / n}, then softmax`,
  },
  isOn: { zh: (name) => `${name} 开着`, en: (name) => `${name} is on` },
  rowOf: {
    zh: (names, i, n) => `参数：只与${names[Math.floor((i * n) / 4)]} 的输出相乘`,
    en: (names, i, n) => `parameter: meets the output of ${names[Math.floor((i * n) / 4)]} only`,
  },
  adds: { zh: "各头写给这个词的", en: "what each head adds" },
  added: {
    zh: (names, i, words, word, span) =>
      `${names[i]} 给“${words[word]}”的输出 × W_O 的第 ${span(i)} 行`,
    en: (names, i, words, word, span) =>
      `output of ${names[i]} for ${words[word]} × row ${span(i)} of W_O`,
  },
  headOff: { zh: "这个头关着", en: "this head is off" },
  output: { zh: "输出", en: "output" },
  heads: { zh: "几个头", en: "heads" },
  word: { zh: "看哪个词", en: "which word" },
  hint: {
    zh: "点 X 的格子，可以把它改成 0、1 或 2：每个头的 Q 里，变了的数带框。",
    en: "Tap a cell of X to make it 0, 1 or 2: numbers that change in each head's Q are framed.",
  },
  even: {
    zh: (names, at) => `${names[at]} 平均看`,
    en: (names, at) => `${names[at]} looks at all words evenly`,
  },
  looksMost: {
    zh: (names, at, key, most) => `${names[at]} 最看“${key}”（${number(most, 3)}）`,
    en: (names, at, key, most) => `${names[at]} looks most at ${key} (${number(most, 3)})`,
  },
  summary: {
    zh: (words, word, looks, output) =>
      `“${words[word]}”：${looks.join("，")}。输出是 ` +
      `${output[word].map((value) => number(value, 3)).join("、")}。`,
    en: (words, word, looks, output) =>
      `${words[word]}: ${looks.join("; ")}. Output ` +
      `${output[word].map((value) => number(value, 3)).join(", ")}.`,
  },
  missing: {
    zh: (off) => `关着的：${off.join("、")}，输出里没有它那一份。`,
    en: (off) => `Off: ${off.join(", ")}; the output lacks that part.`,
  },
  changed: {
    zh: (edited, touched) =>
      `X 改了 ${edited} 个数，Q 跟着变的：${touched.length ? touched.join("、") : "没有"}。`,
    en: (edited, touched) =>
      `${edited} number${edited > 1 ? "s" : ""} of X changed; Q changed in: ` +
      `${touched.length ? touched.join(", ") : "no head"}.`,
  },
  space: { zh: "", en: " " },
});

/** As qkv_docs.multi_head_attention, head by head; a head that is off adds nothing. */
export const multiHead = (x, { w_q, w_k, w_v, w_o }, n, on = []) => {
  const columns = (matrix, i) =>
    matrix.map((row) => row.slice((i * row.length) / n, ((i + 1) * row.length) / n));
  const heads = Array.from({ length: n }, (_, i) => {
    const mine = columns(w_q, i),
      q = matmul(x, mine);
    const found = attention(q, matmul(x, columns(w_k, i)), matmul(x, columns(w_v, i)));
    const adds = matmul(found.output, w_o.slice((i * w_o.length) / n, ((i + 1) * w_o.length) / n));
    return {
      w_q: mine,
      q,
      ...found,
      adds: on[i] === 0 ? adds.map((row) => row.map(() => 0)) : adds,
    };
  });
  return {
    heads,
    output: x.map((_, i) =>
      w_o[0].map((_, j) => heads.reduce((total, { adds }) => total + adds[i][j], 0)),
    ),
  };
};

const COUNTS = [1, 2, 4];

class Heads extends Figure {
  get initial() {
    return { n: 2, word: 1, x: this.data.x.flat(), h1: 1, h2: 1, h3: 1, h4: 1 };
  }

  static valid = ({ n, word, x, ...on }) =>
    COUNTS.includes(n) &&
    [0, 1, 2].includes(word) &&
    x.length === 12 &&
    x.every((value) => [0, 1, 2].includes(value)) &&
    Object.values(on).every((value) => [0, 1].includes(value));

  build() {
    const names = (this.names = [1, 2, 3, 4].map((i) => WORDS.head(i)));
    const { words } = this.data,
      index = "₁₂₃₄",
      follow = (i) => this.set({ word: i });
    const part = (i) => (4 / this.state.n) * i + 1,
      last = (i) => (4 / this.state.n) * (i + 1);
    const span = (i) => (part(i) === last(i) ? part(i) : `${part(i)}–${last(i)}`);
    this.x = this.grid({
      title: "X",
      kind: "x",
      decimals: 0,
      from: () => WORDS.input,
      act: (i, j) =>
        this.set({
          x: this.state.x.map((value, at) => (at === 4 * i + j ? (value + 1) % 3 : value)),
        }),
    });
    this.cards = names.map((name, at) => {
      const card = {
        w_q: this.grid({
          title: `W_Q${index[at]}`,
          kind: "q",
          decimals: 0,
          from: () => WORDS.columnOf(span, at),
        }),
        q: this.grid({
          title: `Q${index[at]}`,
          kind: "q",
          decimals: 0,
          from: (i, j) => WORDS.rowTimesColumn(words, i, index, at, j),
        }),
        weights: this.grid({
          title: WORDS.attentionWeights(name),
          decimals: 3,
          act: follow,
          from: (i) => WORDS.scoresThenSoftmax(words, i, name, this.state.n),
        }),
      };
      card.node = h(
        "div",
        { class: "play__head" },
        this.toggle(`h${at + 1}`, { label: WORDS.isOn(name) }),
        h("div", { class: "play__row play__pair" }, card.w_q.node, card.q.node, card.weights.node),
      );
      return card;
    });
    this.w_o = this.grid({
      title: "W_O",
      kind: "x",
      decimals: 0,
      from: (i) => WORDS.rowOf(names, i, this.state.n),
    });
    this.adds = this.grid({
      title: WORDS.adds,
      kind: "output",
      decimals: 3,
      from: (i) =>
        this.state[`h${i + 1}`]
          ? WORDS.added(names, i, words, this.state.word, span)
          : WORDS.headOff,
    });
    this.output = this.grid({
      title: WORDS.output,
      kind: "output",
      decimals: 3,
      act: follow,
      from: (i, j) => this.found.heads.map(({ adds }) => number(adds[i][j], 3)).join(" + "),
    });
    return [
      desk(
        this.choice("n", {
          label: WORDS.heads,
          options: COUNTS.map((n) => [n, String(n)]),
        }),
        this.choice("word", {
          label: WORDS.word,
          options: words.map((word, i) => [i, word]),
        }),
      ),
      h("p", { class: "play__hint" }, WORDS.hint),
      this.x.node,
      h(
        "div",
        { class: "play__row" },
        this.cards.map(({ node }) => node),
      ),
      h("div", { class: "play__row play__pair" }, this.w_o.node, this.adds.node, this.output.node),
    ];
  }

  draw() {
    const { names } = this;
    const { n, word, x: flat } = this.state,
      { words, features } = this.data,
      original = this.data.x.flat();
    const rows = (numbers) => words.map((_, i) => numbers.slice(4 * i, 4 * i + 4));
    const on = names.map((_, i) => this.state[`h${i + 1}`]);
    const { heads, output } = (this.found = multiHead(rows(flat), this.data, n, on)),
      before = multiHead(this.data.x, this.data, n).heads;
    this.x.fill(rows(flat), {
      rows: words,
      columns: features,
      limit: 2,
      chosen: (i, j) => flat[4 * i + j] !== original[4 * i + j],
    });
    this.cards.forEach((card, at) => {
      card.node.hidden = at >= n;
      if (at >= n) return;
      const { w_q, q, weights } = heads[at];
      card.node.toggleAttribute("data-off", !on[at]);
      card.w_q.fill(w_q, { rows: features, limit: 2 });
      card.q.fill(q, { rows: words, limit: 4, chosen: (i, j) => q[i][j] !== before[at].q[i][j] });
      card.weights.fill(weights, { rows: words, columns: words, chosen: (i) => i === word });
    });
    this.w_o.fill(this.data.w_o, {
      rows: [0, 1, 2, 3].map((i) => names[Math.floor((i * n) / 4)]),
      columns: features,
      limit: 2,
    });
    this.adds.fill(
      heads.map(({ adds }) => adds[word]),
      { rows: names.slice(0, n), columns: features, limit: 2 },
    );
    this.output.fill(output, {
      rows: words,
      columns: features,
      limit: 2,
      chosen: (i) => i === word,
    });

    const looks = heads.map(({ weights }, at) => {
      const most = Math.max(...weights[word]),
        even = most - Math.min(...weights[word]) < 1e-9;
      const key = words[weights[word].indexOf(most)];
      return even ? WORDS.even(names, at) : WORDS.looksMost(names, at, key, most);
    });
    const off = names.filter((_, i) => i < n && !on[i]);
    const touched = names.filter(
      (_, at) =>
        at < n &&
        heads[at].q.some((row, i) => row.some((value, j) => value !== before[at].q[i][j])),
    );
    const edited = flat.filter((value, at) => value !== original[at]).length;
    return [
      WORDS.summary(words, word, looks, output),
      off.length ? WORDS.missing(off) : "",
      edited ? WORDS.changed(edited, touched) : "",
    ]
      .filter(Boolean)
      .join(WORDS.space);
  }
}

customElements.define("qkv-heads", Heads);
