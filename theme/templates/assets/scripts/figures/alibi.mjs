// position: what ALiBi takes off the scores of the last of five tokens, head by head.
import { words } from "../language.mjs";
import { Figure, h, number } from "./core.mjs";
import { softmax } from "./maths.mjs";

const WORDS = words({
  slope: { zh: (hNow) => `斜率 1/${2 ** hNow}`, en: (hNow) => `slope 1/${2 ** hNow}` },
  scaledScores: { zh: "缩放后的分数", en: "scaled scores" },
  fromSlider: { zh: "滑块给出第一个，其余是 0", en: "the first from the slider, the others 0" },
  bias: { zh: "偏置", en: "bias" },
  distance: {
    zh: (slope, j) => `−${slope()} × 距离 ${N - 1 - j}`,
    en: (slope, j) => `−${slope()} × distance ${N - 1 - j}`,
  },
  sums: { zh: "缩放后的分数 + 偏置", en: "scaled scores + bias" },
  sumTwoRows: { zh: "上面两行相加", en: "the sum of the two rows above" },
  attentionWeights: { zh: "注意力权重", en: "attention weights" },
  softmaxRowAbove: { zh: "上面一行的 softmax", en: "softmax of the row above" },
  head: { zh: "第几个头", en: "head" },
  scoreOfFirst: { zh: "位置 0 缩放后的分数", en: "scaled score of key 0" },
  query: { zh: () => `查询 ${N - 1}`, en: () => `query ${N - 1}` },
  summary: {
    zh: (head, bias, first, last) =>
      `第 ${head} 个头，斜率 1/${2 ** head}：位置 0 扣 ${number(-bias[0], 3)} 分。注意力权重：位置 0 分到 ` +
      `${first}，位置 ${N - 1} 分到 ${last}。`,
    en: (head, bias, first, last) =>
      `Head ${head}, slope 1/${2 ** head}: key 0 loses ${number(-bias[0], 3)}. ` +
      `Attention weights: ${first} for key 0, ${last} for key ${N - 1}.`,
  },
});

const N = 5,
  HEADS = 8;

/** The last row of a head's bias (heads from 1), the biased scores and the attention weights. */
export const biased = (head, scores) => {
  const bias = scores.map((_, j) => (j - scores.length + 1) * 2 ** ((-8 * head) / HEADS));
  const sums = scores.map((score, j) => score + bias[j]);
  return { bias, sums, weights: softmax(sums) };
};

class Alibi extends Figure {
  static initial = { h: 1, s: 0 };
  static valid = ({ h, s }) =>
    Number.isInteger(h) && h >= 1 && h <= HEADS && Number.isInteger(s * 8) && s >= 0 && s <= 3;

  build() {
    const slope = () => WORDS.slope(this.state.h);
    const grid = (title, kind, from) => this.grid({ title, kind, decimals: 3, from });
    this.scores = grid(WORDS.scaledScores, "scores", () => WORDS.fromSlider);
    this.bias = grid(WORDS.bias, "scores", (_, j) => WORDS.distance(slope, j));
    this.sums = grid(WORDS.sums, "scores", () => WORDS.sumTwoRows);
    this.weights = grid(WORDS.attentionWeights, "weights", () => WORDS.softmaxRowAbove);
    return [
      this.slider("h", { label: WORDS.head, min: 1, max: HEADS }),
      this.slider("s", {
        label: WORDS.scoreOfFirst,
        min: 0,
        max: 3,
        step: 0.125,
        show: (s) => number(s, 3),
      }),
      h(
        "div",
        { class: "play__even" },
        [this.scores, this.bias, this.sums, this.weights].map(({ node }) => node),
      ),
    ];
  }

  draw() {
    const { h: head, s } = this.state,
      scores = Array.from({ length: N }, (_, j) => (j ? 0 : s));
    const { bias, sums, weights } = biased(head, scores);
    const names = {
      rows: [WORDS.query()],
      columns: scores.map((_, j) => j),
    };
    this.scores.fill([scores], { ...names, limit: 3 });
    this.bias.fill([bias], { ...names, limit: 3 });
    this.sums.fill([sums], { ...names, limit: 3 });
    this.weights.fill([weights], names);
    const [first, last] = [weights[0], weights[N - 1]].map((a) => number(a, 3));
    return WORDS.summary(head, bias, first, last);
  }
}

customElements.define("qkv-alibi", Alibi);
