// masks: a mask painted cell by cell, and what becomes of the scores and the attention weights.
import { Figure, h, number, say } from "./core.mjs";
import { attention, matmul, softmax } from "./maths.mjs";

const square = (n, rule) =>
  Array.from({ length: n * n }, (_, at) => Number(rule(Math.floor(at / n), at % n))).join("");
/** The masks of qkv_docs, row after row as 0 and 1: 1 = True. */
export const everything = (n) => square(n, () => true);
export const causal = (n) => square(n, (i, j) => j <= i);
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
      [everything(n), say("不遮", "none")],
      [causal(n), say("因果", "causal")],
      [
        padding(n === 3 ? 2 : 4, n),
        say(`填充，真词 ${n === 3 ? 2 : 4} 个`, `padding, ${n === 3 ? 2 : 4} real`),
      ],
      [
        sliding(n, n === 3 ? 2 : 3),
        say(`窗口，${n === 3 ? 2 : 3} 个键`, `window, ${n === 3 ? 2 : 3} keys`),
      ],
    ];
  }

  build() {
    this.given = JSON.parse(this.dataset.given);
    const dotted = (i, j) =>
      say(
        `“${this.words[i]}”的查询 · “${this.words[j]}”的键 ÷ √2`,
        `query of ${this.words[i]} · key of ${this.words[j]} ÷ √2`,
      );
    const seen = (i) => {
      const keys = this.words.filter((_, j) => this.allowed[i][j]);
      return keys.length
        ? say(
            `“${this.words[i]}”看得到：${keys.join("、")}`,
            `${this.words[i]} may see: ${keys.join(", ")}`,
          )
        : say(
            `“${this.words[i]}”什么也看不到，注意力权重和输出都是 0`,
            `${this.words[i]} may see nothing: its attention weights and output are 0`,
          );
    };
    this.painted = this.grid({
      title: say("掩码", "mask"),
      rowTitle: "Q↓ K→",
      write: truth,
      from: seen,
      act: (i, j) => {
        if (!this.dragged) this.paint(i, j, !this.mask[i][j]);
      },
    });
    this.scores = this.grid({ title: say("分数", "scores"), kind: "scores", from: dotted });
    this.covered = this.grid({
      title: say("遮住之后的分数", "scores, masked"),
      kind: "scores",
      from: (i, j) =>
        this.allowed[i][j] ? dotted(i, j) : say("不许看，换成 −∞", "may not look: replaced by −∞"),
    });
    this.all = this.grid({
      title: say("不遮的注意力权重", "attention weights, no mask"),
      decimals: 3,
      from: () => say("这一行全部分数的 softmax", "softmax of all scores of the row"),
    });
    this.weights = this.grid({
      title: say("注意力权重", "attention weights"),
      decimals: 3,
      from: (i) =>
        !this.allowed[i].some(Boolean)
          ? say("什么也看不到：按约定是 0", "nothing to see: 0 by convention")
          : this.state.when === "after"
            ? say("不遮时的 softmax × 掩码", "softmax without a mask × mask")
            : say("这一行遮住之后的 softmax", "softmax of the masked row"),
    });
    this.output = this.grid({
      title: say("输出", "output"),
      kind: "output",
      decimals: 3,
      from: (i) =>
        say(`“${this.words[i]}”的注意力权重 × V`, `attention weights of ${this.words[i]} × V`),
    });
    this.brushes();
    return [
      this.pick("sentence", {
        label: say("句子", "sentence"),
        options: () => [3, 6].map((n) => [n, say(`${n} 个词`, `${n} words`)]),
        chosen: () => this.size,
        act: (n) => {
          const before = this.presets().findIndex(([mask]) => mask === this.state.mask);
          this.set({ mask: this.presets(n)[before < 0 ? 1 : before][0] });
        },
      }),
      this.pick("preset", {
        label: say("现成的掩码", "ready-made"),
        options: () => this.presets(),
        chosen: () => this.state.mask,
        act: (mask) => this.set({ mask }),
      }),
      this.choice("polarity", {
        label: say("True 读作", "True means"),
        options: [
          ["may", say("可以看", "may look")],
          ["hidden", say("不许看", "may not look")],
        ],
      }),
      this.choice("when", {
        label: say("遮在", "mask"),
        options: [
          ["before", say("softmax 之前", "before softmax")],
          ["after", say("softmax 之后", "after softmax")],
        ],
      }),
      this.toggle("other", { label: say("换掉最后一个词", "replace the last word") }),
      h(
        "p",
        { class: "play__hint" },
        say(
          "在掩码上拖动就能涂；也可以点按，或者用方向键和空格。",
          "Drag over the mask to paint; or tap a cell, or use the arrow keys and space.",
        ),
      ),
      h(
        "div",
        { class: "play__row play__pair" },
        [this.painted, this.scores, this.covered, this.all, this.weights, this.output].map(
          ({ node }) => node,
        ),
      ),
    ];
  }

  /** A drag paints: what the first cell becomes, the others become. A tap or a key is the grid's. */
  brushes() {
    const table = this.painted.node.firstChild;
    table.dataset.paint = "";
    table.setAttribute("aria-multiselectable", "true");
    const place = ({ clientX, clientY }) => {
      const td = document.elementFromPoint(clientX, clientY)?.closest("tbody td");
      return td && table.contains(td) && [td.parentNode.rowIndex - 1, td.cellIndex - 1];
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
    const { sentences, w_q, w_k, w_v } = this.given,
      { words, last } = sentences[this.size === 3 ? 0 : 1];
    const sentence = other ? [...words.slice(0, -1), last] : words,
      x = sentence.map(([, vector]) => vector);
    const [q, k, v] = [w_q, w_k, w_v].map((w) => matmul(x, w)),
      { scores } = attention(q, k, v);
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
      columns: [say("食物", "food"), say("行动者", "actor")],
      chosen: (i) => changed[i],
    });

    const blind = words.filter((_, i) => !this.allowed[i].some(Boolean)),
      moved = words.filter((_, i) => changed[i]),
      earlier = moved.filter((word) => word !== words.at(-1));
    const count = this.allowed.flat().filter(Boolean).length;
    const short = words.flatMap((word, i) =>
      Math.abs(sums[i] - 1) > 1e-9 ? [`${word} ${number(sums[i])}`] : [],
    );
    const list = (all) => all.map((word) => say(`“${word}”`, word)).join(say("、", ", "));
    return [
      polarity === "hidden"
        ? say(
            "True 读成了“不许看”，意思全反。",
            "True is read as “may not look”: everything is the wrong way round.",
          )
        : "",
      say(
        `${words.length ** 2} 格中有 ${count} 格可以看。`,
        `${count} of ${words.length ** 2} cells may be looked at.`,
      ),
      blind.length
        ? say(
            `${list(blind)}什么也看不到：注意力权重和输出按约定是 0，照公式算则是 0/0。`,
            `${list(blind)} may see nothing: attention weights and output are 0 by convention; the formula gives 0/0.`,
          )
        : "",
      after && short.length
        ? say(
            `先 softmax 再遮：${short.join("、")} 的和（Σ）不是 1。`,
            `Softmax first, mask afterwards: the row${short.length > 1 ? "s" : ""} of ${short.join(", ")} (Σ) ${short.length > 1 ? "do" : "does"} not sum to 1.`,
          )
        : "",
      other
        ? say(
            `“${before.words.at(-1)}”换成“${words.at(-1)}”，输出变了的行：${moved.length ? list(moved) : "没有"}。`,
            `With ${words.at(-1)} for ${before.words.at(-1)}, the output changes for ${moved.length ? list(moved) : "no word"}.`,
          )
        : "",
      other && after && earlier.some((word) => !this.allowed[words.indexOf(word)].at(-1))
        ? say("看不到它的词也变了，这就是泄露。", "Words that may not see it have changed: a leak.")
        : "",
    ]
      .filter(Boolean)
      .join(say("", " "));
  }
}

customElements.define("qkv-mask", Mask);
