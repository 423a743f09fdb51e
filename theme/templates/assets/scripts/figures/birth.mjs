// birth-of-qkv: W_Q, W_K, W_V from noise to meaning, recorded or trained here and now by qkv_docs.
import { words } from "../language.mjs";
import { Figure, desk, h, number, svg } from "./core.mjs";
import { DIGITS, LETTERS, NAMES, answer, pairs, tables, training } from "./lookup-model.mjs";
import { shaped, unpack } from "./unpack.mjs";

const WORDS = words({
  trainingStep: { zh: "训练步数", en: "training step" },
  play: { zh: "播放", en: "Play" },
  part: { zh: "看", en: "look at" },
  partNames: {
    zh: ["问题找哪个键", "值说什么答案", "三个矩阵", "答一道题"],
    en: ["what a question finds", "what a value says", "the matrices", "one question"],
  },
  asks: {
    zh: "每一行是一个问题。问 k，就与字母 k 的键分数最高：左边的对角线。数字那一半几乎没有图案，键不管数字。回到第 0 步，就没有对角线。",
    en:
      "Each row is a question. Asking for k, it scores highest with keys of the letter k: the " +
      "diagonal on the left. Digits have almost no pattern; keys ignore them. Go back to step 0, and " +
      "the diagonal is gone.",
  },
  says: {
    zh: "值正好相反：字母那一半几乎没有图案，每个数字最支持自己。键来自字母、值来自数字，没有人这样规定过。",
    en:
      "With values it is the other way round: letters have almost no pattern, and each digit speaks " +
      "for itself. Nobody laid down that keys come from letters and values from digits.",
  },
  noise: {
    zh: "这三个矩阵就是训练所改的数，从头到尾看着都像噪声。意义在它们与嵌入的乘积里，也就是前两张表。",
    en:
      "These numbers are what training changes, and they look like noise from first to last. " +
      "Their meaning is in their products with the embeddings: the two tables before.",
  },
  answers: {
    zh: "一道题从头算到尾。上下文和要问的字母都可以改。",
    en: "One question from start to end. Change the context, or the letter asked for.",
  },
  run: { zh: "哪一次训练", en: "which run" },
  recorded: { zh: "记录的（种子 0）", en: "recorded (seed 0)" },
  own: { zh: (seed) => `你的（种子 ${seed}）`, en: (seed) => `yours (seed ${seed})` },
  randomSeed: { zh: "随机种子", en: "random seed" },
  seedHint: { zh: "种子是 0 到 999999 的整数", en: "a seed is an integer from 0 to 999999" },
  trainHere: { zh: "就在这里训练", en: "Train it here" },
  aboutT: {
    zh: "问题（行）对键的每一部分（列），缩放后的分数",
    en: "scaled scores of a question (row) with each part of a key (column)",
  },
  aboutU: {
    zh: "值的每一部分（列）对每个答案（行）的支持，行列互换着画",
    en: "how much each part of a value (column) speaks for each answer (row), drawn transposed",
  },
  answer: { zh: "答", en: "answer" },
  fromU: {
    zh: (j, i) => `e_${NAMES[j]} W_V W_O 的第 ${i} 个数`,
    en: (j, i) => `number ${i} of e_${NAMES[j]} W_V W_O`,
  },
  parameter: {
    zh: "参数：训练改它，输入改不了它",
    en: "a parameter: training changes it, no input does",
  },
  letterPart: { zh: "字母部分", en: "letter part" },
  digitPart: { zh: "数字部分", en: "digit part" },
  score: { zh: "缩放后的分数", en: "scaled score" },
  scores: { zh: "缩放后的分数", en: "scaled scores" },
  fromLetter: {
    zh: "T 里问的字母那一行、这个字母那一列",
    en: "T, row of the question, column of this letter",
  },
  fromDigit: {
    zh: "T 里问的字母那一行、这个数字那一列",
    en: "T, row of the question, column of this digit",
  },
  sumTwoRows: { zh: "上面两行之和", en: "the sum of the two rows above" },
  attentionWeights: { zh: "注意力权重", en: "attention weights" },
  softmaxScores: { zh: "这些分数的 softmax", en: "softmax of the scores" },
  chances: { zh: "答案的概率", en: "probability of each answer" },
  fromValues: {
    zh: "值对答案的支持按注意力权重加起来，再取 softmax",
    en:
      "what the values say for each answer, added in proportion to the attention " +
      "weights, then softmax",
  },
  context: { zh: "上下文", en: "context" },
  contextHint: {
    zh: "写成 b7 k2 这样：字母 a–z 加数字 0–9，用空格隔开，最多 26 对",
    en: "write b7 k2: a letter a–z and a digit 0–9, with spaces between, at most 26 pairs",
  },
  askLetter: { zh: "问哪个字母", en: "ask for the letter" },
  askHint: { zh: "问一个字母，a 到 z", en: "ask for one letter, a to z" },
  shape: { zh: "形状", en: "shape" },
  step: { zh: (atNow) => `第 ${atNow} 步`, en: (atNow) => `step ${atNow}` },
  separator: { zh: "；", en: "; " },
  colon: { zh: "：", en: ": " },
  arrowKeys: { zh: "。用方向键逐格移动", en: ". Arrow keys go from cell to cell" },
  keysLetter: { zh: "键：来自字母", en: "keys: from the letter" },
  valuesDigit: { zh: "值：来自数字", en: "values: from the digit" },
  notInContext: {
    zh: (state) => `上下文里没有 ${state.ask}`,
    en: (state) => `there is no ${state.ask} in the context`,
  },
  right: { zh: "对", en: "right" },
  wrong: { zh: (right) => `错，应当是 ${right[1]}`, en: (right) => `wrong, it is ${right[1]}` },
  summary: {
    zh: (atNow, l, a, w, model, state, best, verdict) =>
      `第 ${atNow} 步：损失 ${l}，正确率 ${a}，正确位置分到的注意力权重 ${w}。26 个字母有 ${model.found} 个找到自己，` +
      `10 个数字有 ${model.said} 个最支持自己。问 ${state.ask}?，答 ${best}（${verdict}）。`,
    en: (atNow, l, a, w, model, state, best, verdict) =>
      `Step ${atNow}: loss ${l}, accuracy ${a}, attention weight of the right pair ` +
      `${w}. ${model.found} of 26 letters find themselves, ${model.said} of 10 digits ` +
      `favour themselves. Asked ${state.ask}?, it answers ${best} (${verdict}).`,
  },
  chart: { zh: "损失和正确率，横轴是训练步数", en: "loss and accuracy over the training steps" },
  accuracy: { zh: "正确率", en: "accuracy" },
  loss: { zh: "损失", en: "loss" },
  pause: { zh: "暂停", en: "Pause" },
  stop: { zh: "停止", en: "Stop" },
  label: { zh: "<训练>", en: "<training>" },
  training: { zh: "正在训练…", en: "Training…" },
  done: {
    zh: (seconds) => `练完了：${LAST} 步，${seconds} 秒。拖动滑块看每一步`,
    en: (seconds) => `Done: ${LAST} steps in ${seconds} seconds. Drag the slider to see each`,
  },
  lost: {
    zh: "脚本没有取到。检查网络后再按一次",
    en: "A script did not arrive. Check the connection and press again",
  },
  untilThen: { zh: "。到这一步为止的都在滑块上", en: ". The steps until then are on the slider" },
  progress: {
    zh: (step, numbers) => `正在训练：第 ${step} 步，正确率 ${number(numbers.accuracy)}`,
    en: (step, numbers) => `Training: step ${step}, accuracy ${number(numbers.accuracy)}`,
  },
});

const LAST = 100; // steps of a run
const SHAPES = { w_q: [64, 16], w_k: [64, 16], w_v: [64, 16], w_o: [16, 10] };
const LABEL = { w_q: "W_Q", w_k: "W_K", w_v: "W_V" };

const style = new CSSStyleSheet();
style.replaceSync(`
  .birth__head > div { align-items: center; display: flex; gap: .6rem; }
  .birth__head .play__slider { flex: 1 1 auto; flex-wrap: nowrap; min-width: 0; }
  .birth__head .play__slider input { flex-basis: 3rem; min-width: 0; }
  .birth__head .play__slider span { white-space: nowrap; }
  .play__choice[hidden] { display: none; }
  .birth__chances .play__grid tbody td { font-size: .6rem; min-width: 0; padding: 0 .05rem; }
  .birth__head .play__slider output { min-width: 1.6rem; }
  .birth__head .play__read { line-height: 1.5; margin: .2rem 0 0; }
  .birth__train { border-bottom: 1px solid var(--edge); margin: 0 0 .3rem; padding: 0 0 .4rem; }
  .birth__train label { align-items: center; display: inline-flex; gap: .4rem; margin: 0; }
  .birth__train .play__field input { flex: none; width: 4.5rem; }
  .play .birth__train button {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--ground);
  }
  .play .birth__train button:is(:hover, :focus-visible) {
    background: var(--ground);
    color: var(--accent);
  }
  .birth__train [role="status"] { color: var(--ink-soft); flex: 1 1 9rem; }
  .birth__cells { margin: .6rem 0 .2rem; }
  .birth__cells p { margin: 0; line-height: 1.5; }
  .birth__cells canvas {
    cursor: crosshair;
    display: block;
    height: auto;
    max-width: 100%;
    touch-action: pan-y;
  }
  .birth__share {
    display: grid;
    gap: .1rem .6rem;
    grid-template-columns: max-content 1fr max-content;
    align-items: center;
    margin: .5rem 0;
    max-width: 22rem;
  }
  .birth__share span:nth-child(3n + 2) {
    background: var(--edge);
    border-radius: 3px;
    height: .6rem;
    overflow: hidden;
  }
  .birth__share i { background: var(--colour); display: block; height: 100%; }
  .birth__share b { font-weight: 600; font-variant-numeric: tabular-nums; }
  .birth__part > p { margin: .3rem 0 0; }
  .birth__part > div { max-width: 347px; min-width: 0; }
  .birth__three { display: flex; gap: 12px; margin-bottom: .4rem; }
  /* Five lines: what is below must not move under a finger. */
  @media (max-width: 44.9375em) { .birth__head .play__read { min-height: 7.5em; } }
`);
document.adoptedStyleSheets.push(style);

/** What docs/data recorded, as a run: { seed, scale, embedding, steps, models, history }. */
function recorded({ seed, scale, steps, matrices: { embedding, ...matrices }, history }) {
  const numbers = ({ int16, scale: unit, shape }) => shaped(unpack(int16, "int16"), shape, unit);
  const series = Object.entries(matrices).map(([name, stored]) => [name, numbers(stored)]);
  const models = steps.map((_, at) =>
    Object.fromEntries(series.map(([name, all]) => [name, all[at]])),
  );
  return { seed, scale, embedding: numbers(embedding), steps, models, history };
}

const at = (run, step) =>
  Math.max(
    0,
    run.steps.findLastIndex((one) => one <= step),
  );

class Birth extends Figure {
  // At first the trained model and the seed that is shown: a pattern to see, and not yet its story.
  static initial = {
    part: 0,
    step: LAST,
    pairs: "b7 k2 q0 u1",
    ask: "k",
    seed: "0",
    run: "recorded",
  };
  static valid = ({ part, step, pairs: text, ask, seed, run }) =>
    [0, 1, 2, 3].includes(part) &&
    Number.isInteger(step) &&
    step >= 0 &&
    step <= LAST &&
    Boolean(pairs(text)) &&
    /^[a-z]$/.test(ask) &&
    /^\d{1,6}$/.test(seed) &&
    ["recorded", "own"].includes(run);

  get shown() {
    return this.state.run === "own" && this.own?.models.length ? this.own : this.recorded;
  }

  get model() {
    const run = this.shown,
      model = run.models[at(run, this.state.step)];
    return (model.tables ??= {
      ...tables({ ...model, embedding: run.embedding, scale: run.scale }),
      model,
    });
  }

  build() {
    this.recorded = recorded(this.data);
    const step = this.slider("step", {
      label: WORDS.trainingStep,
      min: 0,
      max: LAST,
      step: 10,
    });
    this.knob = step.querySelector("input");
    this.knob.addEventListener("input", () => this.halt());
    this.player = h("button", { type: "button", onclick: () => this.play() }, WORDS.play);
    this.head = desk(h("div", {}, step, this.player));
    this.head.classList.add("birth__head");
    this.which = this.pick("run", {
      label: WORDS.run,
      options: () =>
        this.own
          ? [
              ["recorded", WORDS.recorded],
              ["own", WORDS.own(this.own.seed)],
            ]
          : [],
      chosen: () => (this.shown === this.own ? "own" : "recorded"),
      act: (run) => this.set({ run, seed: String(run === "own" ? this.own.seed : 0) }),
    });
    this.which.hidden = true;
    const seed = this.field("seed", {
      label: WORDS.randomSeed,
      length: 6,
      hint: () => WORDS.seedHint,
    });
    seed.querySelector("input").inputMode = "numeric";
    this.status = h("span", { role: "status" });
    this.trainer = h("button", { type: "button", onclick: () => this.train() }, WORDS.trainHere);
    const train = h("div", { class: "play__bar birth__train" }, seed, this.trainer, this.status);
    train.hidden = !document.querySelector("script[data-python]")?.dataset.python;

    const ten = NAMES.slice(LETTERS);
    this.curves = svg("svg", { viewBox: "0 0 342 96", width: 342, height: 96 });
    this.T = this.cells({
      title: "T",
      about: WORDS.aboutT,
      shape: [LETTERS, 36],
      rows: NAMES.slice(0, LETTERS),
      columns: NAMES,
      size: [9, 11],
      colour: "--qkv-heat",
      name: (i, j) => `${NAMES[i]}? → ${NAMES[j]}`,
      from: (i, j) => `(e_${NAMES[i]} + e_?) W_Q · e_${NAMES[j]} W_K / √16`,
    });
    this.U = this.cells({
      title: "U",
      about: WORDS.aboutU,
      shape: [36, DIGITS],
      rows: ten,
      columns: NAMES,
      size: [9, 11],
      colour: "--qkv-v",
      turned: true,
      name: (i, j) => `${NAMES[j]} → ${WORDS.answer} ${i}`,
      from: (i, j) => WORDS.fromU(j, i),
    });
    this.share = h("div", { class: "birth__share" });
    this.matrices = Object.fromEntries(
      Object.entries(LABEL).map(([name, label]) => [
        name,
        this.cells({
          title: label,
          about: "",
          shape: [64, 16],
          size: [6, 4],
          colour: `--qkv-${name.at(-1)}`,
          name: (i, j) => `${i}, ${j}`,
          from: () => WORDS.parameter,
        }),
      ]),
    );
    const parts = [WORDS.letterPart, WORDS.digitPart, WORDS.score];
    this.scores = this.grid({
      title: WORDS.scores,
      kind: "scores",
      from: (i) => [WORDS.fromLetter, WORDS.fromDigit, WORDS.sumTwoRows][i],
    });
    this.weights = this.grid({
      title: WORDS.attentionWeights,
      from: () => WORDS.softmaxScores,
    });
    this.chances = this.grid({
      title: WORDS.chances,
      kind: "output",
      from: () => WORDS.fromValues,
    });
    this.rows = parts;
    const change = {
      pairs: this.field("pairs", {
        label: WORDS.context,
        length: 80,
        hint: () => WORDS.contextHint,
      }),
      ask: this.field("ask", {
        label: WORDS.askLetter,
        length: 1,
        hint: () => WORDS.askHint,
      }),
    };
    change.ask.querySelector("input").style.maxWidth = "3rem";
    this.recolour = new MutationObserver(() => this.paint());
    this.recolour.observe(document.body, {
      attributes: true,
      attributeFilter: ["data-md-color-scheme"],
    });
    const three = Object.values(this.matrices).map(({ node }) => node);
    this.parts = [
      [WORDS.asks, this.T.node],
      [WORDS.says, this.U.node, this.share],
      [WORDS.noise, h("div", { class: "birth__three" }, three)],
      [
        WORDS.answers,
        change.pairs,
        change.ask,
        this.scores.node,
        this.weights.node,
        h("div", { class: "birth__chances" }, this.chances.node),
      ],
    ].map(([story, ...nodes]) =>
      h("div", { class: "birth__part" }, h("p", {}, story), h("div", {}, nodes)),
    );
    return [
      this.head,
      this.choice("part", {
        label: WORDS.part,
        options: WORDS.partNames.map((name, i) => [i, `${i + 1} ${name}`]),
      }),
      ...this.parts,
      this.curves,
      this.which,
      train,
    ];
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.recolour?.disconnect();
    clearInterval(this.playing);
    this.turn?.end("left");
  }

  // ---- Drawing ----

  /**
   * A matrix too fine for numbers: its cells say theirs one by one. One stop of the Tab key.
   * @param {{
   *   title: string, about: string, shape: number[], rows?: string[], columns?: string[],
   *   size: number[], colour: string, turned?: boolean,
   *   name: (i: number, j: number) => string, from: (i: number, j: number) => string,
   * }} matrix  its values are drawn transposed where it is `turned`
   */
  cells({ title, about, shape, rows, columns, size: [width, height], colour, name, from, turned }) {
    const [n, m] = turned ? [...shape].reverse() : shape,
      left = rows ? 14 : 0,
      top = columns ? 14 : 0;
    const gap = (j) => (columns && j >= LETTERS ? 5 : 0); // between letters and digits
    const extent = [left + m * width + (columns ? 5 : 0), top + n * height],
      dense = Math.max(2, Math.ceil(globalThis.devicePixelRatio ?? 1));
    const canvas = h("canvas", {
      width: extent[0] * dense,
      height: extent[1] * dense,
      tabindex: 0,
      role: "application",
    });
    canvas.style.width = `${extent[0]}px`;
    let values = [],
      limit = 1,
      place = null,
      kept = [0, 0];
    const told = ([i, j]) =>
      [
        `${title}[${name(i, j)}] = ${number(values[i][j], 3)}`,
        `${WORDS.shape} (${shape.join(", ")})`,
        ...(from ? [from(i, j)] : []),
        WORDS.step(this.at),
      ].join(WORDS.separator);
    const paint = () => {
      const pen = canvas.getContext("2d"),
        look = getComputedStyle(document.body),
        ink = (variable) => look.getPropertyValue(variable).trim();
      pen.setTransform(dense, 0, 0, dense, 0, 0);
      pen.clearRect(0, 0, ...extent);
      pen.font = `12px ${ink("--md-code-font") || "monospace"}, monospace`;
      pen.fillStyle = ink("--ink-soft");
      pen.textBaseline = "middle";
      pen.textAlign = "center";
      columns?.forEach((text, j) => pen.fillText(text, left + gap(j) + (j + 0.5) * width, 6));
      rows?.forEach((text, i) => pen.fillText(text, 5, top + (i + 0.5) * height));
      const positive = ink(colour),
        negative = ink("--qkv-line");
      values.forEach((row, i) =>
        row.forEach((value, j) => {
          pen.globalAlpha = 0.04 + 0.92 * Math.min(1, Math.abs(value) / limit) ** 0.7;
          pen.fillStyle = value > 0 ? positive : negative;
          pen.fillRect(left + gap(j) + j * width, top + i * height, width - 0.75, height - 0.75);
        }),
      );
      pen.globalAlpha = 1;
      if (place) {
        pen.strokeStyle = ink("--accent");
        pen.lineWidth = 2;
        pen.strokeRect(
          left + gap(place[1]) + place[1] * width - 0.5,
          top + place[0] * height - 0.5,
          width,
          height,
        );
      }
    };
    const show = (to) => {
      place = to;
      paint();
      this.tell(to ? told(to) : undefined);
    };
    const under = (event) => {
      const box = canvas.getBoundingClientRect();
      const x = ((event.clientX - box.left) * extent[0]) / box.width - left,
        y = ((event.clientY - box.top) * extent[1]) / box.height - top;
      const j = Math.floor((x - gap(x >= LETTERS * width + 2 ? LETTERS : 0)) / width),
        i = Math.floor(y / height);
      return i >= 0 && i < n && j >= 0 && j < m ? [i, j] : null;
    };
    const focused = () => document.activeElement === canvas;
    canvas.addEventListener("pointermove", (event) => {
      const to = under(event);
      if (to) show(to);
    });
    canvas.addEventListener("pointerleave", () => {
      if (focused() || !this.live.contains(document.activeElement)) show(focused() ? kept : null);
      else {
        place = null;
        paint();
      } // another table has the focus and the word
    });
    canvas.addEventListener("pointerdown", (event) => {
      kept = under(event) ?? kept;
    });
    canvas.addEventListener("focus", () => show(kept));
    canvas.addEventListener("blur", () => show(null));
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const [i, j] = kept;
      const move = {
        ArrowUp: [i - 1, j],
        ArrowDown: [i + 1, j],
        ArrowLeft: [i, j - 1],
        ArrowRight: [i, j + 1],
        Home: [i, 0],
        End: [i, m - 1],
      }[event.key];
      if (!move) return;
      kept = [Math.max(0, Math.min(n - 1, move[0])), Math.max(0, Math.min(m - 1, move[1]))];
      show(kept);
      event.preventDefault();
      event.stopPropagation(); // the theme turns pages by some keys
    });
    canvas.setAttribute(
      "aria-label",
      `${title} (${shape.join(", ")})${about ? WORDS.colon + about : ""}${WORDS.arrowKeys}`,
    );
    const fill = (next, most) => {
      [values, limit] = [next, most];
      paint();
      if (place) queueMicrotask(() => this.tell(told(place))); // the summary must not hide it
    };
    const caption = h(
      "p",
      {},
      h("b", {}, title),
      ` (${shape.join(", ")})${about ? ` ${about}` : ""}`,
    );
    return { node: h("div", { class: "birth__cells" }, caption, canvas), fill, paint };
  }

  paint() {
    for (const { paint } of [this.T, this.U, ...Object.values(this.matrices)]) paint();
  }

  draw() {
    // Beside the slider, in sight of every cell.
    if (this.reading.parentNode !== this.head) this.head.append(this.reading);
    const run = this.shown,
      { state } = this,
      model = this.model;
    this.parts.forEach((part, i) => {
      part.hidden = i !== state.part;
    });
    this.at = run.steps[at(run, state.step)];
    this.knob.step = run === this.own ? 2 : 10;
    // One scale for all steps, or noise would look like meaning: the largest entry of the last.
    const last = run.models.at(-1);
    last.tables ??= {
      ...tables({ ...last, embedding: run.embedding, scale: run.scale }),
      model: last,
    };
    const most = (table) => Math.max(...table.flat().map(Math.abs));
    const limit = (pick) =>
      Math.max(
        most(pick(last.tables)),
        run === this.own ? most(pick(this.recorded.models.at(-1).tables ?? last.tables)) : 0,
      );
    this.T.fill(
      model.scores,
      limit(({ scores }) => scores),
    );
    this.U.fill(
      NAMES.slice(LETTERS).map((_, n) => model.says.map((row) => row[n])),
      limit(({ says }) => says),
    );
    for (const name of Object.keys(LABEL)) this.matrices[name].fill(model.model[name], 0.5);

    const here = run.history.steps.indexOf(this.at),
      { loss, accuracy, attention } = run.history;
    this.chart(run, here);
    const bars = [
      [WORDS.keysLetter, model.keys, "--qkv-k"],
      [WORDS.valuesDigit, 1 - model.values, "--qkv-v"],
    ];
    this.share.replaceChildren(
      ...bars.flatMap(([label, share, colour]) => {
        const bar = h("i", {});
        bar.style.width = `${100 * share}%`;
        bar.style.setProperty("--colour", `var(${colour})`);
        return [h("span", {}, label), h("span", {}, bar), h("b", {}, number(share))];
      }),
    );

    const context = pairs(state.pairs),
      names = context.map(([a, d]) => `${NAMES[a]}${d}`),
      letter = NAMES.indexOf(state.ask);
    const found = answer(model, context, letter),
      best = found.chances.indexOf(Math.max(...found.chances));
    const columns = names.map((name) => name);
    this.scores.fill([found.letterPart, found.digitPart, found.score], {
      rows: this.rows,
      columns,
    });
    this.weights.fill([found.weights], { rows: [`${state.ask}?`], columns });
    this.chances.fill([found.chances], {
      rows: [`${state.ask}?`],
      columns: NAMES.slice(LETTERS),
      limit: 1,
      chosen: (_, j) => j === best,
    });
    const right = context.find(([a]) => a === letter);
    const verdict = !right
      ? WORDS.notInContext(state)
      : right[1] === best
        ? WORDS.right
        : WORDS.wrong(right);
    const [l, a, w] = [loss[here], accuracy[here], attention[here]].map((x) => number(x));
    return WORDS.summary(this.at, l, a, w, model, state, best, verdict);
  }

  chart({ history: { steps, loss, accuracy } }, here) {
    const across = (step) => 30 + (step / LAST) * 300,
      line = (list, top, most) =>
        list
          .map(
            (y, i) =>
              (i ? "L" : "M") +
              `${across(steps[i]).toFixed(1)} ${(top + 32 * (1 - y / most)).toFixed(1)}`,
          )
          .join("");
    const text = (x, y, words, anchor = "start") =>
      svg("text", { x, y, "text-anchor": anchor, "font-size": 12, fill: "currentColor" }, words);
    const most = Math.max(2.6, ...loss),
      label = WORDS.chart;
    this.curves.setAttribute("role", "img");
    this.curves.setAttribute("aria-label", label);
    this.curves.replaceChildren(
      svg("path", { d: "M30 4V36H330M30 52V84H330", fill: "none", stroke: "var(--qkv-line)" }),
      svg("path", {
        d: line(accuracy, 4, 1),
        fill: "none",
        stroke: "var(--qkv-heat)",
        "stroke-width": 2,
      }),
      svg("path", {
        d: line(loss, 52, most),
        fill: "none",
        stroke: "currentColor",
        "stroke-width": 2,
        "stroke-dasharray": "6 3",
      }),
      svg("path", {
        d: `M${across(steps[here])} 2V86`,
        stroke: "var(--accent)",
        "stroke-width": 1.5,
      }),
      text(26, 12, "1", "end"),
      text(26, 38, "0", "end"),
      text(26, 60, number(most, 1), "end"),
      text(26, 86, "0", "end"),
      text(330, 30, `${WORDS.accuracy} ${number(accuracy[here])}`, "end"),
      text(330, 62, `${WORDS.loss} ${number(loss[here])}`, "end"),
    );
  }

  // ---- From the first step to the last ----

  play() {
    if (this.playing) return this.halt();
    const run = this.shown;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches)
      return this.set({ step: run.steps.at(-1) });
    let next = this.at >= run.steps.at(-1) ? 0 : at(run, this.state.step) + 1;
    this.player.textContent = WORDS.pause;
    const tick = () => {
      if (run !== this.shown || next >= run.steps.length) return this.halt();
      this.set({ step: run.steps[next] });
      next += 1;
    };
    tick();
    this.playing = setInterval(tick, run === this.own ? 120 : 400);
  }

  halt() {
    clearInterval(this.playing);
    this.playing = undefined;
    this.player.textContent = WORDS.play;
  }

  // ---- Training in the page's Python ----

  async train() {
    if (this.turn) {
      this.turn.stop();
      return;
    }
    this.halt();
    this.trainer.textContent = WORDS.stop;
    this.report(await this.#trained());
    this.trainer.textContent = WORDS.trainHere;
    if (this.isConnected && this.shown === this.own) this.set({ step: this.own.steps.at(-1) });
  }

  report(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  /** Train until it is over; the sentence that says how it ended. */
  async #trained() {
    let told;
    let began;
    try {
      const python = await globalThis.qkv.load("python.mjs");
      told = python.told;
      const seed = Number(this.state.seed);
      const label = WORDS.label;
      const step = { name: "qkv-birth", code: training(seed, LAST), label, alone: true };
      this.turn = new python.Turn((text) => this.report(text));
      const { end } = await this.turn.run([step], (_, { begins, snapshot }) => {
        if (begins) {
          began = performance.now();
          this.report(WORDS.training);
        }
        if (snapshot) this.take(JSON.parse(snapshot), seed);
      });
      if (end) return told(end).text;
      const seconds = number((performance.now() - began) / 1000, 1);
      return WORDS.done(seconds);
    } catch (failure) {
      if (!told) {
        if (!globalThis.qkv.lost(failure)) throw failure;
        return WORDS.lost;
      }
      const { reason, text } = told(failure);
      const kept = reason === "stopped" && began !== undefined;
      return kept ? text + WORDS.untilThen : text;
    } finally {
      this.turn = undefined;
    }
  }

  /** What Python tells while it trains: first the tokens, then every second step its matrices. */
  take({ embedding, scale, step, matrices, ...numbers }, seed) {
    if (embedding) {
      this.own = {
        seed,
        scale,
        embedding: shaped(unpack(embedding, "float32"), [37, 64]),
        steps: [],
        models: [],
        history: { steps: [], loss: [], accuracy: [], attention: [] },
      };
      return;
    }
    const flat = unpack(matrices, "float32"),
      model = {};
    let from = 0;
    for (const [name, [n, m]] of Object.entries(SHAPES)) {
      model[name] = shaped(flat.subarray(from, from + n * m), [n, m]);
      from += n * m;
    }
    const { own } = this;
    own.steps.push(step);
    own.models.push(model);
    own.history.steps.push(step);
    for (const [name, value] of Object.entries(numbers)) own.history[name].push(value);
    this.which.hidden = false;
    if (step % 20 === 0) this.report(WORDS.progress(step, numbers));
    this.state = { ...this.state, run: "own", step };
    this.summary = this.draw(); // not told: a hundred sentences would be read out
    for (const refresh of this.controls) refresh();
  }
}

customElements.define("qkv-birth", Birth);
