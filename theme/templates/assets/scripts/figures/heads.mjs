// multi-head: the same sentence through one, two or four heads, and what each adds to the output.
import { Figure, h, number, say } from "./core.mjs";
import { attention, matmul } from "./maths.mjs";

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
const SENTENCE = [1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1];

class Heads extends Figure {
  static initial = { n: 2, word: 1, x: SENTENCE, h1: 1, h2: 1, h3: 1, h4: 1 };
  static valid = ({ n, word, x, ...on }) =>
    COUNTS.includes(n) &&
    [0, 1, 2].includes(word) &&
    x.length === 12 &&
    x.every((value) => [0, 1, 2].includes(value)) &&
    Object.values(on).every((value) => [0, 1].includes(value));

  build() {
    this.given = JSON.parse(this.dataset.given);
    const names = (this.names = [1, 2, 3, 4].map((i) => say(`头 ${i}`, `head ${i}`)));
    const { words } = this.given,
      index = "₁₂₃₄",
      follow = (i) => this.set({ word: i });
    const part = (i) => (4 / this.state.n) * i + 1,
      last = (i) => (4 / this.state.n) * (i + 1);
    const span = (i) => (part(i) === last(i) ? part(i) : `${part(i)}–${last(i)}`);
    this.x = this.grid({
      title: "X",
      kind: "x",
      decimals: 0,
      from: () => say("输入：每个头读的都是整个 X", "input: every head reads the whole of X"),
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
          from: () =>
            say(
              `参数：大矩阵 W_Q 的第 ${span(at)} 列，四行都在`,
              `parameter: column ${span(at)} of the large W_Q, all four rows`,
            ),
        }),
        q: this.grid({
          title: `Q${index[at]}`,
          kind: "q",
          decimals: 0,
          from: (i, j) =>
            say(
              `“${words[i]}”的四个数与 W_Q${index[at]} 第 ${j + 1} 列相乘再相加`,
              `all four numbers of ${words[i]} times column ${j + 1} of W_Q${index[at]}, added up`,
            ),
        }),
        weights: this.grid({
          title: say(`${name} 的注意力权重`, `attention weights, ${name}`),
          decimals: 3,
          act: follow,
          from: (i) =>
            say(
              `“${words[i]}”在${name} 里的一行分数 ÷ √${4 / this.state.n}，再 softmax`,
              `scores of ${words[i]} in ${name} ÷ √${4 / this.state.n}, then softmax`,
            ),
        }),
      };
      card.node = h(
        "div",
        { class: "play__head" },
        this.toggle(`h${at + 1}`, { label: say(`${name} 开着`, `${name} is on`) }),
        h("div", { class: "play__row play__pair" }, card.w_q.node, card.q.node, card.weights.node),
      );
      return card;
    });
    this.w_o = this.grid({
      title: "W_O",
      kind: "x",
      decimals: 0,
      from: (i) =>
        say(
          `参数：只与${names[Math.floor((i * this.state.n) / 4)]} 的输出相乘`,
          `parameter: meets the output of ${names[Math.floor((i * this.state.n) / 4)]} only`,
        ),
    });
    this.adds = this.grid({
      title: say("各头写给这个词的", "what each head adds"),
      kind: "output",
      decimals: 3,
      from: (i) =>
        this.state[`h${i + 1}`]
          ? say(
              `${names[i]} 给“${words[this.state.word]}”的输出 × W_O 的第 ${span(i)} 行`,
              `output of ${names[i]} for ${words[this.state.word]} × row ${span(i)} of W_O`,
            )
          : say("这个头关着", "this head is off"),
    });
    this.output = this.grid({
      title: say("输出", "output"),
      kind: "output",
      decimals: 3,
      act: follow,
      from: (i, j) => this.found.heads.map(({ adds }) => number(adds[i][j], 3)).join(" + "),
    });
    return [
      this.choice("n", {
        label: say("几个头", "heads"),
        options: COUNTS.map((n) => [n, String(n)]),
      }),
      this.choice("word", {
        label: say("看哪个词", "which word"),
        options: words.map((word, i) => [i, word]),
      }),
      h(
        "p",
        { class: "play__hint" },
        say(
          "点 X 的格子，可以把它改成 0、1 或 2：每个头的 Q 里，变了的数带框。",
          "Tap a cell of X to make it 0, 1 or 2: the numbers that change in each head's Q are framed.",
        ),
      ),
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
      { words, features } = this.given;
    const rows = (numbers) => words.map((_, i) => numbers.slice(4 * i, 4 * i + 4));
    const on = names.map((_, i) => this.state[`h${i + 1}`]);
    const { heads, output } = (this.found = multiHead(rows(flat), this.given, n, on)),
      before = multiHead(rows(SENTENCE), this.given, n).heads;
    this.x.fill(rows(flat), {
      rows: words,
      columns: features,
      limit: 2,
      chosen: (i, j) => flat[4 * i + j] !== SENTENCE[4 * i + j],
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
    this.w_o.fill(this.given.w_o, {
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
      return even
        ? say(`${names[at]} 平均看`, `${names[at]} looks at all words evenly`)
        : say(
            `${names[at]} 最看“${key}”（${number(most, 3)}）`,
            `${names[at]} looks most at ${key} (${number(most, 3)})`,
          );
    });
    const off = names.filter((_, i) => i < n && !on[i]);
    const touched = names.filter(
      (_, at) =>
        at < n &&
        heads[at].q.some((row, i) => row.some((value, j) => value !== before[at].q[i][j])),
    );
    const edited = flat.filter((value, at) => value !== SENTENCE[at]).length;
    return [
      say(
        `“${words[word]}”：${looks.join("，")}。输出是 ${output[word].map((value) => number(value, 3)).join("、")}。`,
        `${words[word]}: ${looks.join("; ")}. Output ${output[word].map((value) => number(value, 3)).join(", ")}.`,
      ),
      off.length
        ? say(
            `关着的：${off.join("、")}，输出里没有它那一份。`,
            `Off: ${off.join(", ")}; the output lacks that part.`,
          )
        : "",
      edited
        ? say(
            `X 改了 ${edited} 个数，Q 跟着变的：${touched.length ? touched.join("、") : "没有"}。`,
            `${edited} number${edited > 1 ? "s" : ""} of X changed; Q changed in: ${touched.length ? touched.join(", ") : "no head"}.`,
          )
        : "",
    ]
      .filter(Boolean)
      .join(say("", " "));
  }
}

customElements.define("qkv-heads", Heads);
