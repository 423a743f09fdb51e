// queries-keys-values, self-attention: a sentence of known words and three matrices, walked
// through from X to the output. `data-given` holds words, matrices and the names of the columns;
// with `one: true` only the chosen word's query goes on after Q, K and V.
import { words } from "../language.mjs";
import { h, number } from "./core.mjs";
import { attention, matmul, transpose } from "./maths.mjs";
import { Steps, list, numbers, products, quote, rows, short, vector } from "./steps.mjs";
import { cut } from "./words.mjs";

const WORDS = words({
  weighted: { zh: "各乘权重", en: "each × its weight" },
  editable: {
    zh: "参数；点一下、按 + − 或直接输入来改",
    en: "parameter; tap it, press + − or type to change it",
  },
  fromList: {
    zh: (w, i) => `词表里${w(i)}的向量`,
    en: (w, i) => `the vector of ${w(i)} in the word list`,
  },
  rowTimesColumn: {
    zh: (w, i, title, j) => `X 的${w(i)}行 · W_${title} 的第 ${j + 1} 列：`,
    en: (w, i, title, j) => `row ${w(i)} of X · column ${j + 1} of W_${title}: `,
  },
  askingRow: { zh: "Q 里提问的那一行", en: "the row of Q that asks" },
  turnedRow: {
    zh: (w, j) => `K 里${w(j)}那一行，竖过来`,
    en: (w, j) => `row ${w(j)} of K, turned upright`,
  },
  scores: { zh: "分数", en: "scores" },
  scaledScores: { zh: (d_k) => `分数 ÷ √${d_k}`, en: (d_k) => `scores ÷ √${d_k}` },
  exponentials: { zh: "取指数", en: "exponentials" },
  attentionWeights: { zh: "注意力权重", en: "attention weights" },
  softmax: { zh: "softmax：", en: "softmax: " },
  output: { zh: "输出", en: "output" },
  resetMatrices: { zh: "还原三个矩阵", en: "reset the matrices" },
  whoAsks: { zh: "谁在提问", en: "who asks" },
  vectorIs: {
    zh: (who, x, row, features) => `${who}的向量是 ${vector(x[row])}：${list(features)}。`,
    en: (who, x, row, features) => `The vector of ${who} is ${vector(x[row])}: ${list(features)}.`,
  },
  projected: {
    zh: (who, now, row, decimals) =>
      `${who}的查询是 ${vector(now.q[row], decimals)}，键是 ${vector(now.k[row], decimals)}，` +
      `值是 ${vector(now.v[row], decimals)}。每个词都乘同样的三个矩阵。`,
    en: (who, now, row, decimals) =>
      `${who} has query ${vector(now.q[row], decimals)}, key ` +
      `${vector(now.k[row], decimals)}, value ${vector(now.v[row], decimals)}. Every ` +
      "word goes through the same three matrices.",
  },
  scored: {
    zh: (who, each, now, row) => `${who}的查询与每个键的点积：${each(now.scores[row])}。`,
    en: (who, each, now, row) => `The query of ${who} with every key: ${each(now.scores[row])}.`,
  },
  divided: {
    zh: (who, asked, each, now, row) =>
      `${who}这一行除以 √${asked.length}：${each(now.scaled[row])}。`,
    en: (who, asked, each, now, row) =>
      `The row of ${who} divided by √${asked.length}: ${each(now.scaled[row])}.`,
  },
  weighed: {
    zh: (who, each, now, row) =>
      `${who}的注意力权重：${each(now.weights[row])}；取指数后的总和是 ` +
      `${number(now.powers[row].reduce((a, b) => a + b))}。`,
    en: (who, each, now, row) =>
      `The attention weights of ${who}: ${each(now.weights[row])}; its exponentials ` +
      `total ${number(now.powers[row].reduce((a, b) => a + b))}.`,
  },
  mixed: {
    zh: (who, each, now, row, decimals) =>
      `${who}的注意力权重：${each(now.weights[row])}。按这些份额把值加起来，输出是 ` +
      `${vector(now.output[row], decimals)}。`,
    en: (who, each, now, row, decimals) =>
      `The attention weights of ${who}: ${each(now.weights[row])}. The values added ` +
      `up in these shares give the output ${vector(now.output[row], decimals)}.`,
  },
});

/** Everything between X and the output, as qkv_docs has it; matrices are lists of rows. */
export const walk = (x, w_q, w_k, w_v) => {
  const [q, k, v] = [w_q, w_k, w_v].map((parameter) => matmul(x, parameter));
  const { scores: scaled, weights, output } = attention(q, k, v);
  return {
    q,
    k,
    v,
    scores: matmul(q, transpose(k)),
    scaled,
    powers: scaled.map((row) => row.map(Math.exp)),
    weights,
    output,
  };
};

/** How softmax makes the j-th attention weight of a row, in words. */
const shareOf = (row, j) => `e^${short(row[j])} ÷ (${row.map((x) => `e^${short(x)}`).join(" + ")})`;

const MATRICES = ["wq", "wk", "wv"];

class Attention extends Steps {
  get initial() {
    const { text, row, wq, wk, wv } = this.data;
    return { text, row, step: 5, wq: wq.flat(), wk: wk.flat(), wv: wv.flat() };
  }

  static valid = ({ text, row, step, ...state }, { words, ...given }) =>
    Steps.readable(text, Object.keys(words)) &&
    Number.isInteger(row) &&
    row >= 0 &&
    row <= 5 &&
    Number.isInteger(step) &&
    step >= 0 &&
    step <= 5 &&
    MATRICES.every((name) => numbers(state[name], given[name].flat().length));

  build() {
    const { words, features, asked, passed, one } = this.data;
    const at = (i) => (one ? this.row : i),
      d_k = asked.length;
    const w = (i) => quote(this.sequence[i]);
    const written = WORDS.editable;
    this.x = this.table({
      title: "X",
      kind: "x",
      from: (i) => WORDS.fromList(w, i),
    });
    [
      ["wq", "W_Q", "q", asked],
      ["wk", "W_K", "k", asked],
      ["wv", "W_V", "v", passed],
    ].forEach(([key, title, kind, columns]) =>
      this.parameter(key, {
        title,
        kind,
        rows: features,
        columns,
        width: columns.length,
        from: () => written,
      }),
    );
    const projected = (title, m) =>
      this.table(
        {
          title,
          kind: title.toLowerCase(),
          from: (i, j) =>
            WORDS.rowTimesColumn(w, i, title, j) +
            products(
              this.now.x[i],
              this.now[MATRICES[m]].map((row) => row[j]),
            ),
        },
        (i, j) => [
          [this.x, i, null],
          [this.parameters[m], null, j],
        ],
      );
    this.q = projected("Q", 0);
    this.k = projected("K", 1);
    this.v = projected("V", 2);
    this.asks = one
      ? this.table({
          title: "q",
          kind: "q",
          from: () => WORDS.askingRow,
        })
      : this.q;
    this.turned = this.table({
      title: "Kᵀ",
      kind: "k",
      from: (i, j) => WORDS.turnedRow(w, j),
    });
    const choose = one ? undefined : (i) => this.set({ row: i });
    this.scores = this.table(
      {
        title: WORDS.scores,
        kind: "scores",
        act: choose,
        from: (i, j) =>
          `q(${this.sequence[at(i)]}) · k(${this.sequence[j]}) = ` +
          products(this.now.q[at(i)], this.now.k[j]),
      },
      (i, j) => [
        [this.asks, i, null],
        [this.turned, null, j],
      ],
    );
    this.scaled = this.table(
      {
        title: WORDS.scaledScores(d_k),
        kind: "scores",
        act: choose,
        from: (i, j) => `${short(this.now.scores[at(i)][j])} ÷ √${d_k}`,
      },
      (i, j) => [[this.scores, i, j]],
    );
    this.powers = this.table(
      {
        title: WORDS.exponentials,
        kind: "scores",
        from: (i, j) => `e^${short(this.now.scaled[this.row][j])}`,
      },
      (i, j) => [[this.scaled, one ? 0 : this.row, j]],
    );
    this.weights = this.table(
      {
        title: WORDS.attentionWeights,
        act: choose,
        from: (i, j) => WORDS.softmax + shareOf(this.now.scaled[at(i)], j),
      },
      (i) => [[this.scaled, i, null]],
    );
    this.shares =
      one &&
      this.table(
        {
          title: WORDS.weighted,
          kind: "output",
          from: (i, j) => `${short(this.now.weights[this.row][i])}·${short(this.now.v[i][j])}`,
        },
        (i, j) => [
          [this.weights, 0, i],
          [this.v, i, j],
        ],
      );
    this.output = this.table(
      {
        title: WORDS.output,
        kind: "output",
        act: choose,
        from: (i, j) =>
          products(
            this.now.weights[at(i)],
            this.now.v.map((row) => row[j]),
          ),
      },
      (i, j) => [
        ...(one
          ? [[this.shares, null, j]]
          : [
              [this.weights, i, null],
              [this.v, null, j],
            ]),
      ],
    );
    const editor = this.editor(
      h(
        "button",
        {
          type: "button",
          onclick: () => {
            const { wq, wk, wv } = this.initial;
            this.set({ wq, wk, wv });
          },
        },
        WORDS.resetMatrices,
      ),
    );
    const parts = [
      ...this.sentence(Object.keys(words)),
      this.chooser(WORDS.whoAsks),
      ...this.walk(
        ["X", "Q K V", "Q Kᵀ", `÷ √${d_k}`, "softmax", "× V"].map(
          (name, i) => `${i + 1} ${one ? name.replace("Q Kᵀ", "q Kᵀ") : name}`,
        ),
        [
          [[this.x]],
          [[this.x, "×"], this.parameters, ["="], [this.q, this.k, this.v], [editor]],
          [[this.asks, "×", this.turned, "=", this.scores]],
          [[this.scores, "→", this.scaled]],
          [[this.scaled, "→", this.powers, "→", this.weights]],
          one
            ? [[this.weights, "×", this.v, "→", this.shares, "→", this.output]]
            : [[this.weights, "×", this.v, "=", this.output]],
        ],
      ),
    ];
    return parts;
  }

  get row() {
    return Math.min(
      this.state.row,
      cut(this.state.text, Object.keys(this.data.words)).words.length - 1,
    );
  }

  draw() {
    const { words, features, asked, passed, one, decimals } = this.data,
      { step } = this.state;
    const names = (this.sequence = cut(this.state.text, Object.keys(words)).words),
      { row } = this;
    const x = names.map((word) => words[word]);
    const [w_q, w_k, w_v] = [asked, asked, passed].map((columns, m) =>
      rows(this.state[MATRICES[m]], columns.length),
    );
    const now = (this.now = { x, wq: w_q, wk: w_k, wv: w_v, ...walk(x, w_q, w_k, w_v) });
    const chosen = (i) => i === row,
      of = one ? [names[row]] : names,
      some = (matrix) => (one ? [matrix[row]] : matrix),
      mine = one ? undefined : chosen;
    this.x.fill(x, { rows: names, columns: features, chosen });
    for (const parameter of this.parameters) parameter.fill();
    [
      [this.q, now.q, asked],
      [this.k, now.k, asked],
      [this.v, now.v, passed],
    ].forEach(([grid, values, columns]) =>
      grid.fill(values, {
        rows: names,
        columns,
        decimals,
        chosen: step === 1 || (grid === this.q && step === 2) ? chosen : undefined,
      }),
    );
    if (one) this.asks.fill(some(now.q), { rows: of, columns: asked, decimals });
    this.turned.fill(transpose(now.k), { rows: asked, columns: names, decimals });
    this.scores.fill(some(now.scores), { rows: of, columns: names, decimals, chosen: mine });
    this.scaled.fill(some(now.scaled), { rows: of, columns: names, decimals, chosen: mine });
    this.powers.fill([now.powers[row]], { rows: [names[row]], columns: names, decimals: 2 });
    this.weights.fill(some(now.weights), { rows: of, columns: names, decimals, chosen: mine });
    if (one)
      this.shares.fill(
        now.v.map((v, j) => v.map((value) => value * now.weights[row][j])),
        { rows: names, columns: passed, decimals },
      );
    this.output.fill(some(now.output), { rows: of, columns: passed, decimals, chosen: mine });
    this.show();
    const who = quote(names[row]),
      each = (values) => list(names.map((name, j) => `${name} ${short(values[j], decimals)}`));
    return [
      () => WORDS.vectorIs(who, x, row, features),
      () => WORDS.projected(who, now, row, decimals),
      () => WORDS.scored(who, each, now, row),
      () => WORDS.divided(who, asked, each, now, row),
      () => WORDS.weighed(who, each, now, row),
      () => WORDS.mixed(who, each, now, row, decimals),
    ][step]();
  }
}

customElements.define("qkv-attention", Attention);
