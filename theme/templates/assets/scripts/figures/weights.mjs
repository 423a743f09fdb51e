// where-weights-come-from: W_Q at every fifth step of a recorded training, then while it answers.
import { words } from "../language.mjs";
import { Figure, desk, h, number, svg } from "./core.mjs";
import { shaped, unpack } from "./unpack.mjs";

const WORDS = words({
  firstRows: { zh: (rows) => `W_Q 的前 ${rows} 行`, en: (rows) => `first ${rows} rows of W_Q` },
  parameter: {
    zh: (at, shape) => `参数，第 ${at()} 步；整个 W_Q 是 (${shape})`,
    en: (at, shape) => `parameter, step ${at()}; the whole W_Q is (${shape})`,
  },
  fromQuestion: {
    zh: "激活值：提问的嵌入 × W_Q，换一道题就重算",
    en: "activation: embedding of the question × W_Q, computed for each question",
  },
  attentionWeights: { zh: "注意力权重", en: "attention weights" },
  fromKeys: {
    zh: "激活值：Q 与四个键的点积 ÷ √16，再 softmax",
    en: "activation: Q · the four keys ÷ √16, then softmax",
  },
  trainingStep: { zh: "训练到第几步", en: "training step" },
  question: { zh: "第几题", en: "question" },
  answering: { zh: "训练结束，只回答（推理）", en: "training is over, only answer (inference)" },
  hint: {
    zh: "蓝色是正数，灰色是负数，越浓，绝对值越大；指着或点按一格，读它的数。",
    en:
      "Blue is positive, grey negative, stronger is larger; point at a cell or tap it " +
      "to read its number.",
  },
  stop: { zh: "停", en: "Stop" },
  playAgain: { zh: "从头播放", en: "Play again" },
  playTraining: { zh: "播放训练", en: "Play the training" },
  answer: {
    zh: (one, pair, weight, state, right) =>
      `问 ${one.asked}，给 ${pair} 的注意力权重是 ${weight}，答 ${state.says}，` +
      `${right ? "对" : `错（该是 ${one.answer}）`}。`,
    en: (one, pair, weight, state, right) =>
      `Asked for ${one.asked}, it gives ${pair} an attention weight of ${weight} and ` +
      `says ${state.says}: ${right ? "right" : `wrong (it is ${one.answer})`}.`,
  },
  compared: {
    zh: (answer, question, q, moved, size, one) =>
      `${answer}与${question === 1 ? "最后一题" : "上一题"}相比，Q 的 ${q.length} 个数变了 ${moved} 个，` +
      `W_Q 的 ${size} 个数变了 ${one.changed} 个。`,
    en: (answer, question, q, moved, size, one) =>
      `${answer} Compared with the ` +
      `${question === 1 ? "last question" : "question before"}, ${moved} of ` +
      `${q.length} numbers of Q have changed, and ${one.changed} of ${size} of W_Q.`,
  },
  summary: {
    zh: (step, shot, index, since, size, answer) =>
      `第 ${step} 步：损失 ${number(shot.loss)}，正确率 ${number(shot.accuracy)}，W_Q 离起点 ` +
      `${number(shot.moved)}${index ? `；比起第 ${since} 步，${size} 个数变了 ${shot.changed} 个` : ""}。` +
      `${answer}`,
    en: (step, shot, index, since, size, answer) =>
      `Step ${step}: loss ${number(shot.loss)}, accuracy ${number(shot.accuracy)}, ` +
      `W_Q at a distance of ${number(shot.moved)} from its ` +
      `start${index ? `; ${shot.changed} of ${size} numbers changed since step ${since}` : ""}. ` +
      `${answer}`,
  },
  loss: { zh: "损失", en: "loss" },
  end: { zh: "到此为止，不再训练", en: "no more training" },
});

/** Multiples of `unit` in rows of this width. */
export const rowsOf = (text, unit, width = 16) => {
  const flat = unpack(text, "int16");
  return shaped(flat, [flat.length / width, width], unit);
};

class Weights extends Figure {
  static initial = { step: 0, answering: 0, question: 1 };
  static valid = ({ step, answering, question }, { snapshots, questions }) =>
    snapshots.some((snapshot) => snapshot.step === step) &&
    [0, 1].includes(answering) &&
    Number.isInteger(question) &&
    question >= 1 &&
    question <= questions.length;

  get shots() {
    return this.data.snapshots;
  }

  build() {
    const { unit, snapshots, questions } = this.data,
      last = snapshots.at(-1).step;
    this.matrices = snapshots.map(({ w_q }) => rowsOf(w_q, unit));
    const rows = this.matrices[0].length,
      shape = this.data.shape.join(", ");
    const at = () => (this.state.answering ? last : this.state.step);
    this.w_q = this.grid({
      title: WORDS.firstRows(rows),
      kind: "q",
      decimals: 3,
      compact: true,
      from: () => WORDS.parameter(at, shape),
    });
    this.q = this.grid({
      title: "Q",
      kind: "q",
      decimals: 3,
      compact: true,
      from: () => WORDS.fromQuestion,
    });
    this.weights = this.grid({
      title: WORDS.attentionWeights,
      decimals: 3,
      from: () => WORDS.fromKeys,
    });
    this.curve = svg("svg", {
      viewBox: "0 0 340 120",
      width: 340,
      height: 120,
      "aria-hidden": "true",
      class: "play__align",
    });
    this.steps = this.slider("step", {
      label: WORDS.trainingStep,
      min: 0,
      max: last,
      step: snapshots[1].step,
    });
    this.asked = this.slider("question", {
      label: WORDS.question,
      min: 1,
      max: questions.length,
      show: (i) => `${i}: ${questions[i - 1].asked}?`,
    });
    this.button = h("button", {
      type: "button",
      onclick: () => (this.timer ? this.halt() : this.train()),
    });
    this.trained = h("p", { class: "play__bar" }, this.button);
    return [
      this.toggle("answering", {
        label: WORDS.answering,
      }),
      desk(this.steps, this.asked, this.trained),
      this.curve,
      h("p", { class: "play__hint" }, WORDS.hint),
      h(
        "div",
        { class: "play__row play__pair" },
        this.w_q.node,
        h("div", {}, this.q.node, this.weights.node),
      ),
    ];
  }

  /** Step after step; at once where the reader wants no motion. */
  train() {
    const last = this.shots.at(-1).step,
      every = this.shots[1].step;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.set({ step: last });
    const from = this.state.step === last ? 0 : this.state.step;
    this.set({ step: from });
    this.timer = setInterval(() => {
      if (!this.isConnected || this.state.step >= last) return this.halt();
      this.set({ step: this.state.step + every });
    }, 200);
    this.redraw();
  }

  halt() {
    clearInterval(this.timer);
    this.timer = 0;
    if (this.isConnected) this.redraw();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  draw() {
    const { step, answering, question } = this.state,
      { unit, questions } = this.data;
    if (answering && this.timer) {
      clearInterval(this.timer);
      this.timer = 0;
    }
    const index = answering
        ? this.shots.length - 1
        : this.shots.findIndex((shot) => shot.step === step),
      shot = this.shots[index];
    const one = questions[answering ? question - 1 : 0],
      state = answering ? one : shot,
      [q] = rowsOf(state.q, unit);
    for (const [node, hidden] of [
      [this.steps, answering],
      [this.trained, answering],
      [this.asked, !answering],
    ])
      node.hidden = Boolean(hidden);
    this.reading.setAttribute("aria-live", this.timer ? "off" : "polite"); // a film is not read out
    this.button.textContent = this.timer
      ? WORDS.stop
      : step === this.shots.at(-1).step
        ? WORDS.playAgain
        : WORDS.playTraining;
    const limit = Math.max(...this.shots.map(({ largest }) => largest));
    this.w_q.fill(this.matrices[index], { limit });
    this.q.fill([q], { rows: [`${one.asked}?`], limit: 3 });
    this.weights.fill([state.weights], {
      rows: [`${one.asked}?`],
      columns: one.pairs,
      chosen: (_, j) => one.pairs[j].startsWith(one.asked),
    });
    this.chart(index, answering);

    const size = this.data.shape[0] * this.data.shape[1],
      pair = one.pairs.find((name) => name.startsWith(one.asked));
    const weight = number(state.weights[one.pairs.indexOf(pair)]),
      right = state.says === one.answer;
    const answer = WORDS.answer(one, pair, weight, state, right);
    if (answering) {
      const before = questions[(question + questions.length - 2) % questions.length],
        [other] = rowsOf(before.q, unit);
      const moved = q.filter((value, j) => value !== other[j]).length;
      return WORDS.compared(answer, question, q, moved, size, one);
    }
    const since = this.shots[Math.max(0, index - 1)].step;
    return WORDS.summary(step, shot, index, since, size, answer);
  }

  /** The loss over the steps, and where we are. */
  chart(index, answering) {
    const shots = this.shots,
      top = 3,
      x = (shot) => 34 + (286 * shot.step) / shots.at(-1).step,
      y = (shot) => 96 - (84 * shot.loss) / top;
    const text = (words, at, down, anchor) =>
      svg(
        "text",
        { x: at, y: down, "text-anchor": anchor, fill: "currentColor", "font-size": 12 },
        words,
      );
    const rule = (level) =>
      svg("path", {
        d: `M34 ${96 - (84 * level) / top}H320`,
        stroke: "var(--qkv-line)",
        "stroke-opacity": level ? 0.35 : 1,
      });
    this.curve.replaceChildren(
      ...[0, 1, 2, 3].flatMap((level) => [
        rule(level),
        text(level, 28, 100 - (84 * level) / top, "end"),
      ]),
      ...[0, 50, 100].map((step) => text(step, x({ step }), 112, "middle")),
      text(WORDS.loss, 42, 10, "start"),
      svg("polyline", {
        points: shots.map((shot) => `${x(shot).toFixed(1)},${y(shot).toFixed(1)}`).join(" "),
        fill: "none",
        stroke: "var(--qkv-heat)",
        "stroke-width": 2,
      }),
      svg("path", {
        d: `M${x(shots[index]).toFixed(1)} 12V96`,
        stroke: "currentColor",
        "stroke-dasharray": "3 3",
      }),
      svg("circle", { cx: x(shots[index]), cy: y(shots[index]), r: 5, fill: "var(--qkv-heat)" }),
      answering ? text(WORDS.end, 314, 60, "end") : "",
    );
  }
}

customElements.define("qkv-weights", Weights);
