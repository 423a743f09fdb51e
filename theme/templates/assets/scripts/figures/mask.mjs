// masks: a mask painted cell by cell, and what becomes of the scores and the attention weights.
import { words } from "../language.mjs";
import { Figure, h, number } from "./core.mjs";
import { attention, causalMask, matmul, softmax } from "./maths.mjs";

const WORDS = words({
  none: { zh: "不遮", en: "none" },
  causal: { zh: "因果", en: "causal" },
  paddingReal: {
    zh: (n) => `填充，真词元 ${n === 3 ? 2 : 4} 个`,
    en: (n) => `padding, ${n === 3 ? 2 : 4} real`,
  },
  windowKeys: {
    zh: (n) => `窗口，${n === 3 ? 2 : 3} 个键`,
    en: (n) => `window, ${n === 3 ? 2 : 3} keys`,
  },
  queryKey: {
    zh: (words, i, j) => `“${words[i]}”的查询 · “${words[j]}”的键 ÷ √2`,
    en: (words, i, j) => `query of ${words[i]} · key of ${words[j]} ÷ √2`,
  },
  maySee: {
    zh: (words, i, keys) => `“${words[i]}”看得到：${keys.join("、")}`,
    en: (words, i, keys) => `${words[i]} may see: ${keys.join(", ")}`,
  },
  maySeeNothing: {
    zh: (words, i) => `“${words[i]}”什么也看不到，注意力权重和输出都是 0`,
    en: (words, i) => `${words[i]} may see nothing: its attention weights and output are 0`,
  },
  mask: { zh: "掩码", en: "mask" },
  scores: { zh: "缩放后的分数", en: "scaled scores" },
  scoresMasked: { zh: "缩放、遮住之后", en: "scaled, masked" },
  covered: { zh: "不许看，换成 −∞", en: "may not look: replaced by −∞" },
  weightsUnmasked: { zh: "不遮的注意力权重", en: "attention weights, no mask" },
  softmaxAllScores: {
    zh: "整行缩放后的分数的 softmax",
    en: "softmax of all scaled scores of the row",
  },
  attentionWeights: { zh: "注意力权重", en: "attention weights" },
  zeroByConvention: { zh: "什么也看不到：按约定是 0", en: "nothing to see: 0 by convention" },
  softmaxWithoutMask: { zh: "不遮时的 softmax × 掩码", en: "softmax without a mask × mask" },
  softmaxMaskedRow: { zh: "这一行遮住之后的 softmax", en: "softmax of the masked row" },
  output: { zh: "输出", en: "output" },
  weightsTimesV: {
    zh: (words, i) => `“${words[i]}”的注意力权重 × V`,
    en: (words, i) => `attention weights of ${words[i]} × V`,
  },
  sentence: { zh: "句子", en: "sentence" },
  words: { zh: (n) => `${n} 个词`, en: (n) => `${n} words` },
  readyMade: { zh: "现成的掩码", en: "ready-made" },
  trueMeans: { zh: "True 读作", en: "True means" },
  mayLook: { zh: "可以看", en: "may look" },
  mayNotLook: { zh: "不许看", en: "may not look" },
  maskWhen: { zh: "遮在", en: "mask" },
  beforeSoftmax: { zh: "softmax 之前", en: "before softmax" },
  afterSoftmax: { zh: "softmax 之后", en: "after softmax" },
  replaceLastWord: { zh: "换掉最后一个词", en: "replace the last word" },
  dragOverMask: {
    zh: "在掩码上拖动就能涂；也可以点按，或者用方向键和空格。",
    en: "Drag over the mask to paint; or tap a cell, or use the arrow keys and space.",
  },
  food: { zh: "食物", en: "food" },
  actor: { zh: "行动者", en: "actor" },
  quote: { zh: (word) => `“${word}”`, en: (word) => word },
  separator: { zh: "、", en: ", " },
  reversed: {
    zh: "True 读成了“不许看”，意思全反。",
    en: "True is read as “may not look”: everything is the wrong way round.",
  },
  mayBeLookedAt: {
    zh: (words, count) => `${words.length ** 2} 格中有 ${count} 格可以看。`,
    en: (words, count) => `${count} of ${words.length ** 2} cells may be looked at.`,
  },
  blind: {
    zh: (list, blind) =>
      `${list(blind)}什么也看不到：注意力权重和输出按约定是 0，照公式算则是 0/0。`,
    en: (list, blind) =>
      `${list(blind)} may see nothing: attention weights and output are 0 by ` +
      "convention; the formula gives 0/0.",
  },
  rowsDoNotSum: {
    zh: (short) => `先 softmax 再遮：${short.join("、")} 的和（Σ）不是 1。`,
    en: (short) =>
      `Softmax first, mask afterwards: the row${short.length > 1 ? "s" : ""} of ` +
      `${short.join(", ")} (Σ) ${short.length > 1 ? "do" : "does"} not sum to 1.`,
  },
  outputChanges: {
    zh: (before, words, moved, list) =>
      `“${before.words.at(-1)}”换成“${words.at(-1)}”，输出变了的行：` +
      `${moved.length ? list(moved) : "没有"}。`,
    en: (before, words, moved, list) =>
      `With ${words.at(-1)} for ${before.words.at(-1)}, the output changes for ` +
      `${moved.length ? list(moved) : "no word"}.`,
  },
  leak: {
    zh: "看不到它的词也变了，这就是泄露。",
    en: "Words that may not see it have changed: a leak.",
  },
  space: { zh: "", en: " " },
});

const square = (n, rule) =>
  Array.from({ length: n * n }, (_, at) => Number(rule(Math.floor(at / n), at % n))).join("");
/** The masks of qkv_docs, row after row as 0 and 1: 1 = True. */
export const everything = (n) => square(n, () => true);
export const causal = (n) => causalMask(n).flat().map(Number).join("");
export const padding = (length, n) => square(n, (_, j) => j < length);
export const sliding = (n, window) => square(n, (i, j) => j <= i && j > i - window);

export const read = (mask, truth = true) => {
  const n = mask.length ** 0.5;
  return Array.from({ length: n }, (_, i) =>
    [...mask.slice(i * n, i * n + n)].map((bit) => (bit === "1") === truth),
  );
};
/** The misreading: softmax of all the scores, then 0 where the mask forbids. */
export const late = (scores, v, mask) => {
  const all = scores.map(softmax);
  const weights = all.map((row, i) => row.map((weight, j) => (mask[i][j] ? weight : 0)));
  return { all, weights, output: matmul(weights, v) };
};

const truth = (bit) => (bit ? "True" : "False");

class Mask extends Figure {
  static initial = { mask: causal(3), other: 0, polarity: "may", when: "before" };
  static valid = ({ mask, other, polarity, when }) =>
    /^([01]{9}|[01]{36})$/.test(mask) &&
    [0, 1].includes(other) &&
    ["may", "hidden"].includes(polarity) &&
    ["before", "after"].includes(when);

  get size() {
    return this.state.mask.length ** 0.5;
  }

  presets(n = this.size) {
    return [
      [everything(n), WORDS.none],
      [causal(n), WORDS.causal],
      [padding(n === 3 ? 2 : 4, n), WORDS.paddingReal(n)],
      [sliding(n, n === 3 ? 2 : 3), WORDS.windowKeys(n)],
    ];
  }

  build() {
    const dotted = (i, j) => WORDS.queryKey(this.words, i, j);
    const seen = (i) => {
      const keys = this.words.filter((_, j) => this.allowed[i][j]);
      return keys.length ? WORDS.maySee(this.words, i, keys) : WORDS.maySeeNothing(this.words, i);
    };
    this.painted = this.grid({
      title: WORDS.mask,
      rowTitle: "Q↓ K→",
      write: truth,
      from: seen,
      act: (i, j) => {
        if (!this.dragged) this.paint(i, j, !this.mask[i][j]);
      },
    });
    this.scores = this.grid({ title: WORDS.scores, kind: "scores", from: dotted });
    this.covered = this.grid({
      title: WORDS.scoresMasked,
      kind: "scores",
      from: (i, j) => (this.allowed[i][j] ? dotted(i, j) : WORDS.covered),
    });
    this.all = this.grid({
      title: WORDS.weightsUnmasked,
      decimals: 3,
      from: () => WORDS.softmaxAllScores,
    });
    this.weights = this.grid({
      title: WORDS.attentionWeights,
      decimals: 3,
      from: (i) =>
        !this.allowed[i].some(Boolean)
          ? WORDS.zeroByConvention
          : this.state.when === "after"
            ? WORDS.softmaxWithoutMask
            : WORDS.softmaxMaskedRow,
    });
    this.output = this.grid({
      title: WORDS.output,
      kind: "output",
      decimals: 3,
      from: (i) => WORDS.weightsTimesV(this.words, i),
    });
    this.brushes();
    return [
      this.pick("sentence", {
        label: WORDS.sentence,
        options: () => [3, 6].map((n) => [n, WORDS.words(n)]),
        chosen: () => this.size,
        act: (n) => {
          const before = this.presets().findIndex(([mask]) => mask === this.state.mask);
          this.set({ mask: this.presets(n)[before < 0 ? 1 : before][0] });
        },
      }),
      this.pick("preset", {
        label: WORDS.readyMade,
        options: () => this.presets(),
        chosen: () => this.state.mask,
        act: (mask) => this.set({ mask }),
      }),
      this.choice("polarity", {
        label: WORDS.trueMeans,
        options: [
          ["may", WORDS.mayLook],
          ["hidden", WORDS.mayNotLook],
        ],
      }),
      this.choice("when", {
        label: WORDS.maskWhen,
        options: [
          ["before", WORDS.beforeSoftmax],
          ["after", WORDS.afterSoftmax],
        ],
      }),
      this.toggle("other", { label: WORDS.replaceLastWord }),
      h("p", { class: "play__hint" }, WORDS.dragOverMask),
      h(
        "div",
        { class: "play__row play__pair" },
        [this.painted, this.scores, this.covered, this.all, this.weights, this.output].map(
          ({ node }) => node,
        ),
      ),
    ];
  }

  /** A drag paints: what the first cell becomes, all become. A tap or a key is the grid's. */
  brushes() {
    const table = this.painted.node.querySelector("table");
    table.dataset.paint = "";
    table.setAttribute("aria-multiselectable", "true");
    const place = ({ clientX, clientY }) => {
      const under = document.elementFromPoint(clientX, clientY)?.closest("tbody td");
      const td = /** @type {HTMLTableCellElement | undefined} */ (under);
      const row = /** @type {HTMLTableRowElement | undefined} */ (td?.parentNode);
      return td && table.contains(td) && [row.rowIndex - 1, td.cellIndex - 1];
    };
    table.addEventListener("pointerdown", (event) => {
      const start = event.button === 0 && place(event);
      if (!start) return;
      const bit = !this.mask[start[0]][start[1]];
      this.dragged = false;
      const move = (moved) => {
        const at = place(moved);
        if (!at || (!this.dragged && String(at) === String(start))) return;
        if (!this.dragged) this.paint(...start, bit);
        this.dragged = true;
        if (this.mask[at[0]][at[1]] !== bit) this.paint(...at, bit);
      };
      const end = () => {
        removeEventListener("pointermove", move);
        removeEventListener("pointerup", end);
        removeEventListener("pointercancel", end);
        setTimeout(() => {
          this.dragged = false;
        }); // after the click that ends a drag where it began
      };
      addEventListener("pointermove", move);
      addEventListener("pointerup", end);
      addEventListener("pointercancel", end);
    });
  }

  paint(i, j, bit) {
    const bits = [...this.state.mask];
    bits[i * this.size + j] = Number(bit);
    this.set({ mask: bits.join("") });
  }

  /** The sentence with this last word: words, scores and what becomes of them. */
  attend(other) {
    const { sentences, w_q, w_k, w_v } = this.data,
      { words, last } = sentences[this.size === 3 ? 0 : 1];
    const sentence = other ? [...words.slice(0, -1), last] : words,
      x = sentence.map(([, vector]) => vector);
    const [q, k, v] = [w_q, w_k, w_v].map((w) => matmul(x, w)),
      { scores } = attention(q, k, v);
    /** @type {any} */
    const found =
      this.state.when === "after"
        ? late(scores, v, this.allowed)
        : attention(q, k, v, { mask: this.allowed });
    return {
      words: sentence.map(([word]) => word),
      ...found,
      masked: found.scores ?? scores,
      scores,
    };
  }

  draw() {
    const { mask, other, polarity, when } = this.state,
      after = when === "after";
    this.mask = read(mask);
    this.allowed = read(mask, polarity === "may");
    const now = this.attend(other),
      before = this.attend(0),
      { words } = now;
    this.words = words;
    const sums = now.weights.map((row) => row.reduce((a, b) => a + b)),
      labels = { rows: words, columns: words };
    const changed = now.output.map((row, i) =>
      row.some((x, j) => Math.abs(x - before.output[i][j]) > 1e-12),
    );
    const limit = Math.max(...now.scores.flat());
    this.painted.fill(
      this.mask.map((row) => row.map(Number)),
      { ...labels, texts: this.mask.map((row) => row.map(truth)) },
    );
    for (const td of this.painted.node.querySelectorAll("tbody td"))
      td.setAttribute("aria-selected", td.textContent === "True");
    this.scores.fill(now.scores, { ...labels, limit });
    this.covered.fill(now.masked, { ...labels, limit });
    if (after) this.all.fill(now.all, labels);
    this.covered.node.hidden = after;
    this.all.node.hidden = !after;
    this.weights.fill(now.weights, {
      columns: words,
      rows: words.map((word, i) =>
        Math.abs(sums[i] - 1) > 1e-9 ? `${word} Σ=${number(sums[i])}` : word,
      ),
    });
    this.output.fill(now.output, {
      rows: words,
      columns: [WORDS.food, WORDS.actor],
      chosen: (i) => changed[i],
    });

    const blind = words.filter((_, i) => !this.allowed[i].some(Boolean)),
      moved = words.filter((_, i) => changed[i]),
      earlier = moved.filter((word) => word !== words.at(-1));
    const count = this.allowed.flat().filter(Boolean).length;
    const short = words.flatMap((word, i) =>
      Math.abs(sums[i] - 1) > 1e-9 ? [`${word} ${number(sums[i])}`] : [],
    );
    const list = (all) => all.map((word) => WORDS.quote(word)).join(WORDS.separator);
    return [
      polarity === "hidden" ? WORDS.reversed : "",
      WORDS.mayBeLookedAt(words, count),
      blind.length ? WORDS.blind(list, blind) : "",
      after && short.length ? WORDS.rowsDoNotSum(short) : "",
      other ? WORDS.outputChanges(before, words, moved, list) : "",
      other && after && earlier.some((word) => !this.allowed[words.indexOf(word)].at(-1))
        ? WORDS.leak
        : "",
    ]
      .filter(Boolean)
      .join(WORDS.space);
  }
}

customElements.define("qkv-mask", Mask);
