// index: one look-up in a sentence whose verb and whose asking word the reader chooses.
// `data-given` holds the sentence, the vectors of its words, the verbs and three fixed matrices.
import { words } from "../language.mjs";
import { Figure, h, number, svg } from "./core.mjs";
import { attention, matmul } from "./maths.mjs";

const WORDS = words({
  verb: { zh: "换个动词", en: "verb" },
  whoAsks: { zh: "谁在提问", en: "who asks" },
  ask: { zh: (who) => `1 提问：“${who}”的查询 q`, en: (who) => `1 ask: query q of “${who}”` },
  compare: { zh: "2 对照", en: "2 compare" },
  key: { zh: "键 k", en: "key k" },
  shareOut: { zh: "3 分配", en: "3 share out" },
  collect: { zh: "4 取值 v", en: "4 collect v" },
  output: { zh: "加起来，就是输出", en: "the sum is the output" },
  and: { zh: "和", en: " and " },
  summary: {
    zh: (who, most, share, output) =>
      `“${who}”把最多的注意力分给${most}，${share}。它的输出：${output.join("，")}。`,
    en: (who, most, share, output) =>
      `“${who}” gives most attention to ${most}, ${share}. Its output: ${output.join(", ")}.`,
  },
});

/** What the word `row` of a sentence gets; `x` has a row for each word. */
export const asked = (x, row, w_q, w_k, w_v) => {
  const [q, k, v] = [w_q, w_k, w_v].map((parameter) => matmul(x, parameter));
  const { scores: scaled, weights, output } = attention([q[row]], k, v);
  return {
    q: q[row],
    k,
    v,
    scores: scaled[0].map((score) => score * q[row].length ** 0.5),
    scaled: scaled[0],
    weights: weights[0],
    output: output[0],
  };
};

// The places are those of the still picture, docs/figures/index.py.
const HIGH = 32,
  STEP = 36,
  FIRST = 116;
const COLOURS = { q: "q", k: "k", v: "v", weights: "heat", output: "v" };

class Lookup extends Figure {
  get initial() {
    return { verb: this.data.verbs[0], row: 2 };
  }

  static valid = ({ verb, row }, { verbs }) => verbs.includes(verb) && [0, 1, 2].includes(row);

  build() {
    const { verbs, passed } = this.data;
    this.parts = svg("g");
    const write = (x, y, text, more = {}) =>
      svg("text", { x, y, fill: "currentColor", "text-anchor": "middle", ...more }, text);
    const bold = { "font-weight": 600 };
    const arrow = (x, from, to) =>
      svg("path", {
        d: `M${x} ${from}V${to}m-4 -6l4 6l4 -6`,
        fill: "none",
        stroke: "var(--qkv-line)",
        "stroke-width": 1.5,
      });
    const end = FIRST + 2 * STEP + HIGH;
    const picture = svg(
      "svg",
      {
        viewBox: `0 0 356 ${end + 60}`,
        width: 356,
        height: end + 60,
        "font-size": 13,
        "aria-hidden": "true",
      },
      arrow(84, 36, 61),
      arrow(312, end + 4, end + 23),
      write(104, 84, WORDS.compare, bold),
      write(84, 104, WORDS.key),
      write(136, 104, "q · k"),
      write(206, 84, WORDS.shareOut, bold),
      write(178, 104, "÷ √2"),
      write(228, 104, "softmax", { "font-size": 12 }),
      write(312, 84, WORDS.collect, bold),
      ...passed.map((name, j) => write(290 + 44 * j, 104, name, { "font-size": 12 })),
      write(256, end + 48, WORDS.output, { ...bold, "text-anchor": "end" }),
      this.parts,
    );
    this.write = write;
    return [
      this.choice("verb", { label: WORDS.verb, options: verbs.map((verb) => [verb, verb]) }),
      h("div", { class: "play__look" }, picture),
      this.pick("row", {
        label: WORDS.whoAsks,
        options: () => this.names.map((word, i) => [i, word]),
        chosen: () => this.state.row,
        act: (row) => this.set({ row }),
      }),
    ];
  }

  /** Cells beside each other, as strong as their numbers are large. */
  cells(x, y, values, kind, wide, limit, decimals = 0) {
    return values.flatMap((value, j) => [
      svg("rect", {
        x: x + j * wide + 1,
        y: y + 1,
        width: wide - 2,
        height: HIGH - 2,
        rx: 3,
        fill: `var(--qkv-${value > 0 ? COLOURS[kind] : "line"})`,
        "fill-opacity": (0.05 + 0.4 * Math.min(1, Math.abs(value) / limit)).toFixed(3),
      }),
      this.write(x + (j + 0.5) * wide, y + 20.5, number(value, decimals)),
    ]);
  }

  draw() {
    const { words: vectors, sentence, passed, wq, wk, wv } = this.data,
      { verb, row } = this.state;
    this.names = sentence.map((word, i) => (i === 1 ? verb : word));
    const x = this.names.map((word) => vectors[word]),
      now = asked(x, row, wq, wk, wv);
    const limit = Math.max(...now.q, ...now.k.flat()),
      end = FIRST + 2 * STEP + HIGH;
    this.parts.replaceChildren(
      ...this.cells(56, 0, now.q, "q", 28, limit),
      this.write(120, 20.5, WORDS.ask(this.names[row]), {
        "font-weight": 600,
        "text-anchor": "start",
      }),
      ...this.names.flatMap((word, i) => {
        const y = FIRST + i * STEP,
          line = y + 20.5;
        return [
          this.write(50, line, word, {
            "text-anchor": "end",
            "font-weight": i === row ? 600 : 400,
          }),
          ...this.cells(56, y, now.k[i], "k", 28, limit),
          this.write(136, line, number(now.scores[i], 0)),
          this.write(178, line, number(now.scaled[i], 3)),
          ...this.cells(203, y, [now.weights[i]], "weights", 50, 1, 3),
          this.write(260, line, "×"),
          ...this.cells(268, y, now.v[i], "v", 44, limit),
        ];
      }),
      ...this.cells(268, end + 27, now.output, "output", 44, limit, 3),
    );
    const most = Math.max(...now.weights);
    return WORDS.summary(
      this.names[row],
      this.names
        .filter((_, i) => most - now.weights[i] < 1e-9)
        .map((word) => `“${word}”`)
        .join(WORDS.and),
      number(most, 3),
      now.output.map((value, j) => `${passed[j]} ${number(value, 3)}`),
    );
  }
}

customElements.define("qkv-lookup", Lookup);
