// position: what ALiBi takes off the scores of the last of five tokens, head by head.
import { Figure, h, number, say } from "./core.mjs";
import { softmax } from "./maths.mjs";

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
    const slope = () => say(`斜率 1/${2 ** this.state.h}`, `slope 1/${2 ** this.state.h}`);
    const grid = (title, kind, from) => this.grid({ title, kind, decimals: 3, from });
    this.scores = grid(say("分数，已除以 √d_k", "scores, divided by √d_k"), "scores", () =>
      say("滑块给出第一个，其余是 0", "the first from the slider, the others 0"),
    );
    this.bias = grid(say("偏置", "bias"), "scores", (_, j) =>
      say(`−${slope()} × 距离 ${N - 1 - j}`, `−${slope()} × distance ${N - 1 - j}`),
    );
    this.sums = grid(say("分数 + 偏置", "scores + bias"), "scores", () =>
      say("上面两行相加", "the sum of the two rows above"),
    );
    this.weights = grid(say("注意力权重", "attention weights"), "weights", () =>
      say("上面一行的 softmax", "softmax of the row above"),
    );
    return [
      this.slider("h", { label: say("第几个头", "head"), min: 1, max: HEADS }),
      this.slider("s", {
        label: say("位置 0 的分数", "score of key 0"),
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
      rows: [say(`查询 ${N - 1}`, `query ${N - 1}`)],
      columns: scores.map((_, j) => j),
    };
    this.scores.fill([scores], { ...names, limit: 3 });
    this.bias.fill([bias], { ...names, limit: 3 });
    this.sums.fill([sums], { ...names, limit: 3 });
    this.weights.fill([weights], names);
    const [first, last] = [weights[0], weights[N - 1]].map((a) => number(a, 3));
    return say(
      `第 ${head} 个头，斜率 1/${2 ** head}：位置 0 扣 ${number(-bias[0], 3)} 分。注意力权重：位置 0 分到 ${first}，位置 ${N - 1} 分到 ${last}。`,
      `Head ${head}, slope 1/${2 ** head}: key 0 loses ${number(-bias[0], 3)}. Attention weights: ${first} for key 0, ${last} for key ${N - 1}.`,
    );
  }
}

customElements.define("qkv-alibi", Alibi);
