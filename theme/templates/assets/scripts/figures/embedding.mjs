// embedding: the tokens of a sentence, one-hot, times the table: each takes its row.
// `data-given` holds the tokens in the order of their ids, the table and the names of its columns.
import { words } from "../language.mjs";
import { h } from "./core.mjs";
import { cosine, matmul, norm } from "./maths.mjs";
import { Steps, numbers, products, quote, rows, short, vector } from "./steps.mjs";
import { cut } from "./words.mjs";

const WORDS = words({
  onehot: { zh: "独热 onehot(t)", en: "onehot(t)" },
  place: {
    zh: (words, ids, i, j) =>
      `${quote(words[ids[i]])}的编号是 ${ids[i]}，${j === ids[i] ? "这一位是 1" : "别处是 0"}`,
    en: (words, ids, i, j) =>
      `the id of ${quote(words[ids[i]])} is ${ids[i]}: ` +
      `${j === ids[i] ? "1 here" : "0 elsewhere"}`,
  },
  editable: {
    zh: "参数；点一下、按 + − 或直接输入来改",
    en: "parameter; tap it, press + − or type to change it",
  },
  cosineSimilarity: { zh: "余弦相似度", en: "cosine similarity" },
  zeroVector: {
    zh: "有一个向量全是 0，余弦按 0 算",
    en: "one of the vectors is all 0: taken as 0",
  },
  token: { zh: "哪个词元", en: "which token" },
  summary: {
    zh: (words, id, table, same) =>
      `${quote(words[id])}的编号是 ${id}：独热向量的第 ${id} 位（从 0 数）是 1，乘以 E，取出第 ${id} 行 ` +
      `${vector(table[id])}。${same > 1 ? `句子里有 ${same} 个，取的是同一行。` : ""}`,
    en: (words, id, table, same) =>
      `The id of ${quote(words[id])} is ${id}: its one-hot vector has the 1 in place ` +
      `${id} (from 0), and times E it takes row ${id}, ` +
      `${vector(table[id])}.` +
      (same > 1 ? ` The sentence has ${same} of them, which take the same row.` : ""),
  },
});

/** As qkv_docs.one_hot and the cosine of one row of the table to all. */
export const look = (ids, table, chosen) => {
  const hot = ids.map((id) => table.map((_, i) => Number(i === id)));
  return { hot, x: matmul(hot, table), near: table.map((row) => cosine(table[chosen], row)) };
};

class Embedding extends Steps {
  get initial() {
    const { text, table } = this.data;
    return { text, row: 0, e: table.flat() };
  }

  static valid = ({ text, row, e }, { words, table }) =>
    Steps.readable(text, words) &&
    Number.isInteger(row) &&
    row >= 0 &&
    row <= 5 &&
    numbers(e, table.flat().length);

  get row() {
    return Math.min(this.state.row, this.ids.length - 1);
  }
  get ids() {
    return cut(this.state.text, this.data.words).words.map((word) => this.data.words.indexOf(word));
  }

  build() {
    const { words, features } = this.data,
      names = words.map((word, id) => `${id} ${word}`);
    const choose = (row) => this.set({ row });
    this.hot = this.table({
      title: WORDS.onehot,
      kind: "x",
      act: choose,
      from: (i, j) => WORDS.place(words, this.ids, i, j),
    });
    this.e = this.parameter("e", {
      title: "E",
      kind: "x",
      rows: names,
      columns: features,
      width: features.length,
      from: () => WORDS.editable,
    });
    this.x = this.table(
      {
        title: "X",
        kind: "x",
        act: choose,
        from: (i, j) =>
          products(
            this.now.hot[i],
            this.now.table.map((row) => row[j]),
          ),
      },
      (i, j) => [
        [this.hot, i, null],
        [this.e, null, j],
      ],
    );
    this.near = this.table(
      {
        title: WORDS.cosineSimilarity,
        kind: "scores",
        from: (_, j) => {
          const mine = this.now.table[this.ids[this.row]],
            other = this.now.table[j];
          return (
            `${quote(words[this.ids[this.row]])}·${quote(words[j])}: ` +
            (norm(mine) * norm(other)
              ? `(${products(mine, other)}) ÷ (${short(norm(mine))}·${short(norm(other))})`
              : WORDS.zeroVector)
          );
        },
      },
      (_, j) => [
        [this.e, this.ids[this.row], null],
        [this.e, j, null],
      ],
    );
    this.stage = h(
      "div",
      { class: "play__stage" },
      ...[[this.hot, "×", this.e, "=", this.x], [this.near]].map((line) => this.line(line)),
    );
    return [...this.sentence(words), this.chooser(WORDS.token), this.stage, this.editor()];
  }

  draw() {
    const { words, features } = this.data,
      { ids, row } = this,
      names = (this.sequence = ids.map((id) => words[id])),
      id = ids[row];
    const table = rows(this.state.e, features.length),
      now = (this.now = { table, ...look(ids, table, id) });
    const chosen = (i) => i === row;
    this.hot.fill(now.hot, { rows: names, columns: words.map((_, i) => i), chosen });
    this.e.fill({ chosen: (i) => i === id });
    this.x.fill(now.x, { rows: names, columns: features, chosen });
    this.near.fill([now.near], {
      rows: [words[id]],
      columns: words.map((_, i) => i),
      decimals: 2,
      limit: 1,
    });
    this.show();
    const same = ids.filter((other) => other === id).length;
    return WORDS.summary(words, id, table, same);
  }
}

customElements.define("qkv-embedding", Embedding);
