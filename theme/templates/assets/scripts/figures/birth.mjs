// birth-of-qkv: W_Q, W_K, W_V from noise to meaning, recorded or trained here and now by qkv_docs.
import { Figure, h, number, say, svg } from "./core.mjs";
import { DIGITS, LETTERS, NAMES, answer, pairs, tables, training } from "./lookup-model.mjs";

// The same address as in run.mjs: the page has one Python.
const PYTHON = new URL(`../python.mjs${new URL(import.meta.url).search}`, import.meta.url).href;
const LAST = 100; // steps of a run
const SHAPES = { w_q: [64, 16], w_k: [64, 16], w_v: [64, 16], w_o: [16, 10] };
const LABEL = { w_q: "W_Q", w_k: "W_K", w_v: "W_V" };

const AGAIN = say("再按一次会重新启动 Python", "Press again to start Python anew");
const WHY = {
  stopped: say("已停止", "Stopped"),
  other: say("已停止：你运行了一段代码", "Stopped: you ran a snippet"),
  network: say(
    "没有取到 Python 的文件。检查网络，再按一次",
    "Python’s files could not be fetched. Check the connection and press again",
  ),
  corrupt: say(
    "取到的文件损坏了，没有使用。请再按一次重取",
    "A file arrived damaged and was not used. Press again to fetch it anew",
  ),
  wasm: say(
    "这个浏览器不允许 WebAssembly，Python 无法启动。请换一个浏览器，或关闭锁定模式",
    "This browser refuses WebAssembly, so Python cannot start. Try another browser, or leave lockdown mode",
  ),
  silent: say(
    `Python 一分钟没有动静，已放弃。${AGAIN}`,
    `Nothing was heard of Python for a minute, so it was given up. ${AGAIN}`,
  ),
  crash: say(`Python 崩溃了。${AGAIN}`, `Python broke down. ${AGAIN}`),
  memory: say(`内存不够。${AGAIN}`, `Out of memory. ${AGAIN}`),
};

const style = new CSSStyleSheet();
style.replaceSync(`
  .drawing__box:has(> qkv-birth) { overflow: visible; } /* or nothing in it would stick */
  .birth__head { background: var(--ground); border-bottom: 1px solid var(--edge); margin: 0 0 .5rem; padding: .1rem 0 .4rem; position: sticky; top: 2.4rem; z-index: 1; }
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
  .play .birth__train button { background: var(--accent); border-color: var(--accent); color: var(--ground); }
  .play .birth__train button:is(:hover, :focus-visible) { background: var(--ground); color: var(--accent); }
  .birth__train [role="status"] { color: var(--ink-soft); flex: 1 1 9rem; }
  .birth__cells { margin: .6rem 0 .2rem; }
  .birth__cells p { margin: 0; line-height: 1.5; }
  .birth__cells canvas { cursor: crosshair; display: block; height: auto; max-width: 100%; touch-action: pan-y; }
  .birth__share { display: grid; gap: .1rem .6rem; grid-template-columns: max-content 1fr max-content; align-items: center; margin: .5rem 0; max-width: 22rem; }
  .birth__share span:nth-child(3n + 2) { background: var(--edge); border-radius: 3px; height: .6rem; overflow: hidden; }
  .birth__share i { background: var(--colour); display: block; height: 100%; }
  .birth__share b { font-weight: 600; font-variant-numeric: tabular-nums; }
  .birth__two { display: flex; flex-wrap: wrap; gap: 0 12px; }
  .birth__two > div { max-width: 347px; min-width: 0; }
  .birth__three { display: flex; gap: 12px; margin-bottom: .4rem; }
  @media (max-width: 44.9375em) { .birth__head .play__read { min-height: 7.5em; } } /* five lines: what is below must not move under a finger */
`);
document.adoptedStyleSheets.push(style);

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
const rowsOf = (flat, [n, m]) =>
  Array.from({ length: n }, (_, i) => Array.from(flat.slice(i * m, (i + 1) * m)));

/** What docs/data recorded, as a run: { seed, scale, embedding, steps, models, history }. */
function recorded({ seed, scale, steps, matrices: { embedding, ...matrices }, history }) {
  const numbers = ({ int16, scale: unit, shape }) => {
    const all = Array.from(new Int16Array(bytes(int16)), (x) => x * unit),
      [rows, columns] = shape.slice(-2);
    return Array.from({ length: all.length / rows / columns }, (_, at) =>
      rowsOf(all.slice(at * rows * columns, (at + 1) * rows * columns), [rows, columns]),
    );
  };
  const series = Object.entries(matrices).map(([name, stored]) => [name, numbers(stored)]);
  const models = steps.map((_, at) =>
    Object.fromEntries(series.map(([name, all]) => [name, all[at]])),
  );
  return { seed, scale, embedding: numbers(embedding)[0], steps, models, history };
}

const at = (run, step) =>
  Math.max(
    0,
    run.steps.findLastIndex((one) => one <= step),
  );

class Birth extends Figure {
  static initial = { step: 0, pairs: "b7 k2 q0 u1", ask: "k", seed: "1", run: "recorded" };
  static valid = ({ step, pairs: text, ask, seed, run }) =>
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
      label: say("训练步数", "training step"),
      min: 0,
      max: LAST,
      step: 10,
    });
    this.knob = step.querySelector("input");
    this.knob.addEventListener("input", () => this.halt());
    this.player = h("button", { type: "button", onclick: () => this.play() }, say("播放", "Play"));
    this.head = h("div", { class: "birth__head" }, h("div", {}, step, this.player));
    this.which = this.pick("run", {
      label: say("哪一次训练", "which run"),
      options: () =>
        this.own
          ? [
              ["recorded", say("记录的（种子 0）", "recorded (seed 0)")],
              ["own", say(`你的（种子 ${this.own.seed}）`, `yours (seed ${this.own.seed})`)],
            ]
          : [],
      chosen: () => (this.shown === this.own ? "own" : "recorded"),
      act: (run) => this.set({ run }),
    });
    this.which.hidden = true;
    const seed = this.field("seed", {
      label: say("随机种子", "random seed"),
      length: 6,
      hint: () => say("种子是 0 到 999999 的整数", "a seed is an integer from 0 to 999999"),
    });
    seed.querySelector("input").inputMode = "numeric";
    this.status = h("span", { role: "status" });
    this.trainer = h(
      "button",
      { type: "button", onclick: () => this.train() },
      say("就在这里训练", "Train it here"),
    );
    const train = h("div", { class: "play__bar birth__train" }, seed, this.trainer, this.status);
    train.hidden = !document.querySelector("script[data-python]")?.dataset.python;

    const ten = NAMES.slice(LETTERS);
    this.curves = svg("svg", { viewBox: "0 0 342 96", width: 342, height: 96, role: "img" });
    this.T = this.cells({
      title: "T",
      about: say(
        "问题（行）对键的每一部分（列）的分数",
        "scores of a question (row) with each part of a key (column)",
      ),
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
      about: say(
        "值的每一部分（列）对每个答案（行）的支持，行列互换着画",
        "how much each part of a value (column) speaks for each answer (row), drawn transposed",
      ),
      shape: [36, DIGITS],
      rows: ten,
      columns: NAMES,
      size: [9, 11],
      colour: "--qkv-v",
      turned: true,
      name: (i, j) => `${NAMES[j]} → ${say("答", "answer")} ${i}`,
      from: (i, j) =>
        say(`e_${NAMES[j]} W_V W_O 的第 ${i} 个数`, `number ${i} of e_${NAMES[j]} W_V W_O`),
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
          from: () =>
            say("参数：训练改它，输入改不了它", "a parameter: training changes it, no input does"),
        }),
      ]),
    );
    const parts = [
      say("字母部分", "letter part"),
      say("数字部分", "digit part"),
      say("分数", "score"),
    ];
    this.scores = this.grid({
      title: say("分数", "scores"),
      kind: "scores",
      from: (i) =>
        [
          say(
            "T 里问的字母那一行、这个字母那一列",
            "T, row of the question, column of this letter",
          ),
          say("T 里问的字母那一行、这个数字那一列", "T, row of the question, column of this digit"),
          say("上面两行之和", "the sum of the two rows above"),
        ][i],
    });
    this.weights = this.grid({
      title: say("注意力权重", "attention weights"),
      from: () => say("这些分数的 softmax", "softmax of the scores"),
    });
    this.chances = this.grid({
      title: say("答案的概率", "probability of each answer"),
      kind: "output",
      from: () =>
        say(
          "值对答案的支持按注意力权重加起来，再取 softmax",
          "what the values say for each answer, added in proportion to the attention weights, then softmax",
        ),
    });
    this.rows = parts;
    const change = {
      pairs: this.field("pairs", {
        label: say("上下文", "context"),
        length: 80,
        hint: () =>
          say(
            "写成 b7 k2 这样：字母 a–z 加数字 0–9，用空格隔开，最多 26 对",
            "write b7 k2: a letter a–z and a digit 0–9, with spaces between, at most 26 pairs",
          ),
      }),
      ask: this.field("ask", {
        label: say("问哪个字母", "ask for the letter"),
        length: 1,
        hint: () => say("问一个字母，a 到 z", "ask for one letter, a to z"),
      }),
    };
    change.ask.querySelector("input").style.maxWidth = "3rem";
    // Somebody else may want Python: what runs here makes way before the snippet asks for it.
    this.makeWay = (event) => {
      const run =
        event.type === "click"
          ? event.target.closest?.("[data-do=run]")
          : event.key === "Enter" &&
            (event.ctrlKey || event.metaKey) &&
            event.target.closest?.(".snippet textarea");
      if (run && this.training) this.python?.end("other");
    };
    for (const sign of ["click", "keydown"]) addEventListener(sign, this.makeWay, true);
    this.recolour = new MutationObserver(() => this.paint());
    this.recolour.observe(document.body, {
      attributes: true,
      attributeFilter: ["data-md-color-scheme"],
    });
    return [
      train,
      this.which,
      this.head,
      this.curves,
      h(
        "div",
        { class: "birth__two" },
        h("div", {}, this.T.node, this.U.node, this.share),
        h(
          "div",
          {},
          h(
            "div",
            { class: "birth__three" },
            ...Object.values(this.matrices).map(({ node }) => node),
          ),
          change.pairs,
          change.ask,
          this.scores.node,
          this.weights.node,
          h("div", { class: "birth__chances" }, this.chances.node),
        ),
      ),
    ];
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const sign of ["click", "keydown"]) removeEventListener(sign, this.makeWay, true);
    this.recolour?.disconnect();
    clearInterval(this.playing);
    if (this.training) this.python?.end("other");
  }

  // ---- Drawing ----

  /** A matrix too fine for numbers: its cells say theirs one by one. One stop of the Tab key. */
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
        `${say("形状", "shape")} (${shape.join(", ")})`,
        ...(from ? [from(i, j)] : []),
        say(`第 ${this.at} 步`, `step ${this.at}`),
      ].join(say("；", "; "));
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
      `${title} (${shape.join(", ")})${about ? say("：", ": ") + about : ""}${say("。用方向键逐格移动", ". Arrow keys go from cell to cell")}`,
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
    if (this.reading.parentNode !== this.head) this.head.append(this.reading); // beside the slider, in sight of every cell
    const run = this.shown,
      { state } = this,
      model = this.model;
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
      [say("键：来自字母", "keys: from the letter"), model.keys, "--qkv-k"],
      [say("值：来自数字", "values: from the digit"), 1 - model.values, "--qkv-v"],
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
      ? say(`上下文里没有 ${state.ask}`, `there is no ${state.ask} in the context`)
      : right[1] === best
        ? say("对", "right")
        : say(`错，应当是 ${right[1]}`, `wrong, it is ${right[1]}`);
    const [l, a, w] = [loss[here], accuracy[here], attention[here]].map((x) => number(x));
    return say(
      `第 ${this.at} 步：损失 ${l}，正确率 ${a}，正确位置分到的注意力权重 ${w}。26 个字母有 ${model.found} 个找到自己，10 个数字有 ${model.said} 个最支持自己。问 ${state.ask}?，答 ${best}（${verdict}）。`,
      `Step ${this.at}: loss ${l}, accuracy ${a}, attention weight of the right pair ${w}. ${model.found} of 26 letters find themselves, ${model.said} of 10 digits favour themselves. Asked ${state.ask}?, it answers ${best} (${verdict}).`,
    );
  }

  chart({ history: { steps, loss, accuracy } }, here) {
    const across = (step) => 30 + (step / LAST) * 300,
      line = (list, top, most) =>
        list
          .map(
            (y, i) =>
              `${i ? "L" : "M"}${across(steps[i]).toFixed(1)} ${(top + 32 * (1 - y / most)).toFixed(1)}`,
          )
          .join("");
    const text = (x, y, words, anchor = "start") =>
      svg("text", { x, y, "text-anchor": anchor, "font-size": 12, fill: "currentColor" }, words);
    const most = Math.max(2.6, ...loss),
      label = say("损失和正确率，横轴是训练步数", "loss and accuracy over the training steps");
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
      text(330, 30, `${say("正确率", "accuracy")} ${number(accuracy[here])}`, "end"),
      text(330, 62, `${say("损失", "loss")} ${number(loss[here])}`, "end"),
    );
  }

  // ---- From the first step to the last ----

  play() {
    if (this.playing) return this.halt();
    const run = this.shown;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches)
      return this.set({ step: run.steps.at(-1) });
    let next = this.at >= run.steps.at(-1) ? 0 : at(run, this.state.step) + 1;
    this.player.textContent = say("暂停", "Pause");
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
    this.player.textContent = say("播放", "Play");
  }

  // ---- Training in the page's Python ----

  async train() {
    if (this.training) return this.stop();
    this.halt();
    const mine = (this.training = { since: performance.now() });
    const report = (text) => {
      if (this.training === mine) this.status.textContent = text;
    };
    this.trainer.textContent = say("停止", "Stop");
    report(say("正在启动 Python…", "Starting Python…"));
    const seed = Number(this.state.seed),
      folder = document.querySelector("script[data-python]").dataset.python;
    try {
      const python = (this.python = await import(PYTHON).catch((error) => {
        throw Object.assign(error, { reason: "network" });
      }));
      do {
        // a snippet that runs, or is about to, is given up
        if (python.running()) python.end("other");
        await python.start(folder, ({ progress, total }) => {
          const percent = Math.floor(progress * 10) * 10,
            size = Math.round(total / 1e6);
          report(
            say(
              `正在取 Python（${size} MB，只需一次）：${percent}%`,
              `Fetching Python (${size} MB, once): ${percent}%`,
            ),
          );
        });
      } while (python.running());
      mine.since = performance.now();
      report(say("正在训练…", "Training…"));
      const step = {
        name: "qkv-birth",
        code: training(seed, LAST),
        label: `<${say("训练", "training")}>`,
        want: "",
        goOn: false,
        alone: true,
      };
      const { end } = await python.run([step], (_, { snapshot }) => {
        if (snapshot) this.take(JSON.parse(snapshot), seed, report);
      });
      if (end) throw Object.assign(new Error(), { reason: end });
      const seconds = (performance.now() - mine.since) / 1000;
      report(
        say(
          `练完了：${LAST} 步，${number(seconds, 1)} 秒。拖动滑块看每一步`,
          `Done: ${LAST} steps in ${number(seconds, 1)} seconds. Drag the slider to see each`,
        ),
      );
    } catch (failure) {
      const kept =
        failure.reason === "stopped" && mine.began
          ? say("。到这一步为止的都在滑块上", ". The steps until then are on the slider")
          : "";
      report(
        (WHY[failure.reason] ?? WHY.crash) +
          kept +
          (failure.message && say(`（${failure.message}）`, ` (${failure.message})`)),
      );
    }
    if (this.training !== mine) return;
    this.training = undefined;
    this.trainer.textContent = say("就在这里训练", "Train it here");
    if (this.isConnected && this.shown === this.own) this.set({ step: this.own.steps.at(-1) });
  }

  stop() {
    if (performance.now() - this.training.since > 400) this.python?.end("stopped"); // not by the second half of a double click
  }

  /** What Python tells while it trains: the tokens first, then the matrices at every second step. */
  take({ embedding, scale, step, matrices, ...numbers }, seed, report) {
    if (embedding) {
      this.training.began = true;
      this.own = {
        seed,
        scale,
        embedding: rowsOf(new Float32Array(bytes(embedding)), [37, 64]),
        steps: [],
        models: [],
        history: { steps: [], loss: [], accuracy: [], attention: [] },
      };
      return;
    }
    const flat = new Float32Array(bytes(matrices)),
      model = {};
    let from = 0;
    for (const [name, [n, m]] of Object.entries(SHAPES)) {
      model[name] = rowsOf(flat.subarray(from, from + n * m), [n, m]);
      from += n * m;
    }
    const { own } = this;
    own.steps.push(step);
    own.models.push(model);
    own.history.steps.push(step);
    for (const [name, value] of Object.entries(numbers)) own.history[name].push(value);
    this.which.hidden = false;
    if (step % 20 === 0)
      report(
        say(
          `正在训练：第 ${step} 步，正确率 ${number(numbers.accuracy)}`,
          `Training: step ${step}, accuracy ${number(numbers.accuracy)}`,
        ),
      );
    this.state = { ...this.state, run: "own", step };
    this.summary = this.draw(); // not told: a hundred sentences would be read out
    for (const refresh of this.controls) refresh();
  }
}

customElements.define("qkv-birth", Birth);
