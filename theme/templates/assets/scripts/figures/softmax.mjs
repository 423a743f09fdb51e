// why-sqrt-dk: eight scores as large as d_k makes them, a divisor, and what softmax lets through.
import { Figure, number, say } from "./core.mjs";
import { entropy, jacobian, norm, softmax } from "./maths.mjs";

const D_MODEL = 512;
const DIVISORS = [["1", "1"], ["sqrt", "√d_k"], ["d_k", "d_k"], ["model", "√d_model"]];
const divide = { 1: () => 1, sqrt: Math.sqrt, d_k: (d) => d, model: () => D_MODEL ** 0.5 };

customElements.define("qkv-softmax", class extends Figure {
  static initial = { d: 6, by: "sqrt", t: 0 };
  static valid = ({ d, by, t }) => Number.isInteger(d) && d >= 0 && d <= 10 && by in divide && t >= -1 && t <= 1;

  build() {
    this.scores = this.grid({ title: say("分数", "scores"), kind: "scores", decimals: 1, from: () => say("同一个随机分数 × √d_k ÷ 除数 ÷ 温度", "the same random score × √d_k ÷ divisor ÷ temperature") });
    this.weights = this.grid({ title: say("注意力权重", "attention weights"), from: () => say("这一行分数的 softmax", "softmax of that row of scores") });
    this.passed = this.grid({ title: say("雅可比矩阵", "Jacobian"), kind: "scores", from: (i, j) => `a${i + 1}(${i === j ? "1" : "0"} − a${j + 1})` });
    return [
      this.slider("d", { label: "d_k", min: 0, max: 10, show: (d) => String(2 ** d) }),
      this.choice("by", { label: say("分数除以", "divide the scores by"), options: DIVISORS }),
      this.slider("t", { label: say("温度", "temperature"), min: -1, max: 1, step: 0.1, show: (t) => number(10 ** t) }),
      this.scores.node, this.weights.node, this.passed.node,
    ];
  }

  draw() {
    const d = 2 ** this.state.d, divisor = divide[this.state.by](d) * 10 ** this.state.t;
    const scores = JSON.parse(this.dataset.scores).map((score) => score * d ** 0.5 / divisor);
    const weights = softmax(scores), passed = jacobian(weights);
    const keys = scores.map((_, j) => j + 1), limit = Math.max(...passed.flat());
    this.scores.fill([scores], { rows: [say("查询", "query")], columns: keys });
    this.weights.fill([weights], { rows: [say("查询", "query")], columns: keys });
    this.passed.fill(passed, { rows: keys, columns: keys, limit: Math.max(limit, 0.25) });
    const spread = number(entropy(weights) / Math.log(scores.length)), most = number(Math.max(...weights)), let_through = number(norm(passed.flat()), 3);
    return say(
      `最大的注意力权重 ${most}；熵是平均分配时的 ${spread}；雅可比矩阵的范数 ${let_through}。`,
      `Largest attention weight ${most}; entropy ${spread} of an even row's; norm of the Jacobian ${let_through}.`);
  }
});
