// backpropagation: one query and two keys, forward to the loss and back, every gradient in the
// shape of what it belongs to. `data-given` holds q, K, V, the target and the names.
import { words } from "../language.mjs";
import { number } from "./core.mjs";
import { attention, dot, matmul, transpose } from "./maths.mjs";
import { Steps, list, numbers, products, rows, short, vector } from "./steps.mjs";

const WORDS = words({
  noun: { zh: "名词", en: "noun" },
  verb: { zh: "动词", en: "verb" },
  food: { zh: "食物", en: "food" },
  actor: { zh: "行动者", en: "actor" },
  editable: { zh: "点一下、按 + − 或直接输入来改", en: "tap it, press + − or type to change it" },
  targetChanges: {
    zh: (written) => `${written}，target 会跟着变`,
    en: (written) => `${written}; the target changes with it`,
  },
  all: { zh: "全部", en: "all" },
  forward: { zh: "前向", en: "forward" },
  backward: { zh: "反向", en: "backward" },
  stepAll: {
    zh: (L, each, now) => `损失 ${L}。grad_s：${each(now.grad_s[0])}。负的，分数该升；正的，该降。`,
    en: (L, each, now) =>
      `The loss is ${L}. grad_s: ${each(now.grad_s[0])}. Where it is negative the ` +
      "score should rise; where it is positive, fall.",
  },
  stepGradO: {
    zh: (grad_o, L) =>
      `输出减目标就是 grad_o = ${vector(grad_o[0])}，损失是它的平方和的一半：${L}。`,
    en: (grad_o, L) =>
      `Output minus target is grad_o = ${vector(grad_o[0])}; half the sum of its ` +
      `squares is the loss, ${L}.`,
  },
  stepGradV: {
    zh: (each, now) =>
      `每个值分到注意力权重乘 grad_o；grad_a 是 grad_o 与每个值的点积：${each(now.grad_a[0])}。`,
    en: (each, now) =>
      "Each value gets its attention weight times grad_o; grad_a is the dot product " +
      `of grad_o with each value: ${each(now.grad_a[0])}.`,
  },
  stepGradS: {
    zh: (now, each) =>
      `grad_a 的加权平均是 ${number(now.average[0], 3)}。减去它，再乘注意力权重：${each(now.grad_s[0])}，` +
      "合计 0。",
    en: (now, each) =>
      `The weighted average of grad_a is ${number(now.average[0], 3)}. Take it away ` +
      `and multiply by the attention weights: ${each(now.grad_s[0])}, which sum to 0.`,
  },
  stepGradQ: {
    zh: (now) => `训练逆着梯度走：q 往 ${vector(now.grad_q[0].map((x) => -x))} 的方向动。`,
    en: (now) =>
      "Training goes against the gradient: q moves along " +
      `${vector(now.grad_q[0].map((x) => -x))}.`,
  },
});

/** As qkv_docs.scaled_dot_product_attention_backward, with the steps in between. */
export const backward = (grad_o, q, k, v) => {
  const { scores: s, weights: a, output: o } = attention(q, k, v),
    scale = q[0].length ** -0.5;
  const grad_a = matmul(grad_o, transpose(v));
  const average = a.map((row, i) => dot(row, grad_a[i]));
  const grad_s = a.map((row, i) => row.map((weight, j) => weight * (grad_a[i][j] - average[i])));
  const scaled = (matrix) => matrix.map((row) => row.map((x) => x * scale));
  return {
    s,
    a,
    o,
    grad_a,
    average,
    grad_s,
    grad_v: matmul(transpose(a), grad_o),
    grad_q: scaled(matmul(grad_s, k)),
    grad_k: scaled(matmul(transpose(grad_s), q)),
  };
};

const SIZES = { q: 2, k: 4, v: 4, t: 2 };

class Gradient extends Steps {
  get initial() {
    const { q, k, v, t } = this.data;
    return { step: 0, q, k: k.flat(), v: v.flat(), t };
  }

  static valid = ({ step, ...state }) =>
    Number.isInteger(step) &&
    step >= 0 &&
    step <= 4 &&
    Object.entries(SIZES).every(([name, size]) => numbers(state[name], size));

  build() {
    const { words } = this.data,
      asks = [words[1]];
    const asked = [WORDS.noun, WORDS.verb],
      passed = [WORDS.food, WORDS.actor];
    const written = WORDS.editable;
    const scale = " ÷ √2";
    const own = (key, title, kind, side, columns) =>
      this.parameter(key, { title, kind, rows: side, columns, width: 2, from: () => written });
    const made = (title, kind, side, columns, from, of) => {
      const { node, fill } = this.table({ title, kind, from }, of);
      return {
        node,
        fill: (values) =>
          fill(values, { rows: side, columns, shape: side === asks ? "(2,)" : undefined }),
      };
    };
    const column = (matrix, j) => matrix.map((row) => row[j]);
    const g = (this.grids = {
      q: own("q", "q", "q", asks, asked),
      k: own("k", "K", "k", words, asked),
      v: own("v", "V", "v", words, passed),
      t: own("t", "target", "output", asks, passed),
    });
    g.s = made(
      "s",
      "scores",
      asks,
      words,
      (_, j) => `(${products(this.state.q, this.now.k[j])})${scale}`,
      (_, j) => [
        [g.q, 0, null],
        [g.k, j, null],
      ],
    );
    g.a = made(
      "a",
      "weights",
      asks,
      words,
      (_, j) =>
        `e^${short(this.now.s[0][j])} ÷ (${this.now.s[0].map((x) => `e^${short(x)}`).join(" + ")})`,
      () => [[g.s, 0, null]],
    );
    g.o = made(
      "o",
      "output",
      asks,
      passed,
      (_, j) => products(this.now.a[0], column(this.now.v, j)),
      (_, j) => [
        [g.a, 0, null],
        [g.v, null, j],
      ],
    );
    g.grad_o = this.parameter(
      "t",
      {
        title: "grad_o",
        kind: "output",
        rows: asks,
        columns: passed,
        width: 2,
        get: () => this.now.grad_o[0],
        put: (x, at) => Math.round((this.now.o[0][at] - x) * 1e6) / 1e6,
        from: (_, j) =>
          `${short(this.now.o[0][j])} − ${short(this.state.t[j])}; ${WORDS.targetChanges(written)}`,
      },
      (_, j) => [
        [g.o, 0, j],
        [g.t, 0, j],
      ],
    );
    g.grad_v = made(
      "grad_V",
      "v",
      words,
      passed,
      (i, j) => `${short(this.now.a[0][i])}·${short(this.now.grad_o[0][j])}`,
      (i, j) => [
        [g.a, 0, i],
        [g.grad_o, 0, j],
      ],
    );
    g.grad_a = made(
      "grad_a",
      "weights",
      asks,
      words,
      (_, j) => products(this.now.grad_o[0], this.now.v[j]),
      (_, j) => [
        [g.grad_o, 0, null],
        [g.v, j, null],
      ],
    );
    g.grad_s = made(
      "grad_s",
      "scores",
      asks,
      words,
      (_, j) =>
        `${short(this.now.a[0][j])}·` +
        `(${short(this.now.grad_a[0][j])} − ${short(this.now.average[0])})`,
      (_, j) => [
        [g.a, 0, j],
        [g.grad_a, 0, null],
      ],
    );
    g.grad_q = made(
      "grad_q",
      "q",
      asks,
      asked,
      (_, j) => `(${products(this.now.grad_s[0], column(this.now.k, j))})${scale}`,
      (_, j) => [
        [g.grad_s, 0, null],
        [g.k, null, j],
      ],
    );
    g.grad_k = made(
      "grad_K",
      "k",
      words,
      asked,
      (i, j) => `${short(this.now.grad_s[0][i])}·${short(this.state.q[j])}${scale}`,
      (i, j) => [
        [g.grad_s, 0, i],
        [g.q, 0, j],
      ],
    );
    return [
      ...this.walk(
        [WORDS.all, "grad_o", "grad_V, grad_a", "grad_s", "grad_q, grad_K"].map((name, i) =>
          i ? `${i} ${name}` : name,
        ),
        [
          [
            [WORDS.forward, g.q, "", g.k, "→", g.s],
            ["softmax →", g.a, "×", g.v, "=", g.o, "−", g.t],
            [WORDS.backward, g.grad_o, "→", g.grad_v, "", g.grad_a],
            ["grad_a →", g.grad_s, "→", g.grad_k, "", g.grad_q],
          ],
          [
            [g.a, "×", g.v, "=", g.o],
            ["−", g.t, "=", g.grad_o],
          ],
          [
            [g.a, "", g.grad_o, "→", g.grad_v],
            [g.v, "→", g.grad_a],
          ],
          [[g.a, "", g.grad_a, "→", g.grad_s]],
          [
            [g.grad_s, "", g.q, "→", g.grad_k],
            [g.k, "→", g.grad_q],
          ],
        ],
      ),
      this.editor(),
    ];
  }

  draw() {
    const { words } = this.data,
      { q, t, step } = this.state,
      g = this.grids;
    const k = rows(this.state.k, 2),
      v = rows(this.state.v, 2),
      { output: o } = attention([q], k, v);
    const grad_o = [o[0].map((x, j) => x - t[j])],
      loss = dot(grad_o[0], grad_o[0]) / 2;
    const now = (this.now = { k, v, grad_o, ...backward(grad_o, [q], k, v) });
    for (const name of ["q", "k", "v", "t", "grad_o"])
      g[name].fill(name === "k" || name === "v" ? {} : { shape: "(2,)" });
    for (const name of ["s", "a", "o", "grad_v", "grad_a", "grad_s", "grad_q", "grad_k"])
      g[name].fill(now[name]);
    this.show();
    const each = (row) => list(words.map((word, j) => `${word} ${number(row[j], 3)}`)),
      L = number(loss, 3);
    return [
      () => WORDS.stepAll(L, each, now),
      () => WORDS.stepGradO(grad_o, L),
      () => WORDS.stepGradV(each, now),
      () => WORDS.stepGradS(now, each),
      () => WORDS.stepGradQ(now),
    ][step]();
  }
}

customElements.define("qkv-gradient", Gradient);
