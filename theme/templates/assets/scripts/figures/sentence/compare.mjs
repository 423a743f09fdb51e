// Two sentences beside each other, in one language or in two: every word with every word.
import { words } from "../../language.mjs";
import { fetched, number } from "../core.mjs";
import { centredCosines } from "../encoded.mjs";
import { inflate, shaped } from "../unpack.mjs";
import { chart, draw } from "../ways.mjs";
import { sentences, vectors } from "./asked.mjs";
import { widen } from "./tables.mjs";
import { han, quoted } from "./texts.mjs";

const WORDS = words({
  hint: {
    zh:
      "两句里的词两两比较：同一层之后的向量各减去本语言常用词的平均，再算余弦。一个余弦算不算高，" +
      "要拿意思已知的第三句来比。",
    en:
      "Every word with every word: their vectors after the same layer, less the mean of common " +
      "words of their language, as cosines. Whether one is high only a third sentence tells, in " +
      "which you know the meaning.",
  },
  ask: {
    zh: "在“另一句”里写一句，按它右边的按钮：两句都用模型来算。",
    en: "Write the other sentence and press the button beside it: the model computes both.",
  },
  mark: {
    zh: (mark) => `${mark} 不是词，不在这张表里。点一行选一个词。`,
    en: (mark) => `${mark} is no word, and not in this table. Press a row to choose a word.`,
  },
  cosines: { zh: "余弦", en: "cosines" },
  summary: {
    zh: (layer, word, other, cosine) =>
      `走过 ${layer + 1} 层（到 L${layer}）之后，与${quoted(word)}最近的是${quoted(other)}：${cosine}。`,
    en: (layer, word, other, cosine) =>
      `With ${layer + 1} ${layer ? "layers" : "layer"} passed (up to L${layer}), the nearest to ` +
      `${quoted(word)} is ${quoted(other)}: ${cosine}.`,
  },
  curve: {
    zh: (from, to) =>
      `从第一层之前到最后一层之后，两个词的余弦从 ${from} 到 ${to}（曲线；细线是其余的词）。`,
    en: (from, to) =>
      ` From before the first layer to after the last, their cosine goes from ${from} to ${to} ` +
      "(the curve; thin: the other words).",
  },
  alike: { zh: "同一方向", en: "the same direction" },
  opposite: { zh: "相反方向", en: "opposite" },
});
const SHAPE = [13, 384]; // before the first layer and after each

/** Of each language the mean of common words, by layer. */
async function fetchCentres(figure) {
  const file = new URL("pretrained-centre.json", new URL(figure.dataset.src, location.href));
  const stored = await fetched(file);
  const of = async ({ vectors: packed, steps }) =>
    shaped(await inflate(packed, "int16"), SHAPE, 1 / steps);
  return { zh: await of(stored.zh), en: await of(stored.en) };
}

/** @type {import("../sentence.mjs").View} */
export const view = {
  hint: WORDS.hint,
  sliders: () => ["layer"],
  make(figure) {
    let rows = []; // of the table, each word's place in the sentence, which has marks besides
    const grid = figure.grid({
      title: WORDS.cosines,
      kind: "scores",
      compact: true,
      act: (i) => figure.set({ word: rows[i] }),
    });
    const into = chart();
    return {
      panels: [grid.node, into],
      draw(shown) {
        const other = sentences.get(figure.state.other.trim());
        if (!shown.live || !other) return figure.lacks(WORDS.ask);
        const centres = figure.soon("centres", () => fetchCentres(figure));
        if (!centres) return figure.waits();
        const after = figure.state.layer + 1;
        const read = (one) => {
          const names = one.words.filter(({ inText }) => inText);
          return {
            names,
            centres: centres[han(one.text) ? "zh" : "en"],
            vectors: names.map(({ own }) => vectors(one.live, own)), // by word, then by layer
          };
        };
        const [a, b] = [read(shown), read(other)];
        const cosines = (layer, of = a.vectors) =>
          centredCosines(
            of.map((word) => word[layer]),
            a.centres[layer],
            b.vectors.map((word) => word[layer]),
            b.centres[layer],
          );
        const table = cosines(after);
        rows = a.names.map((word) => shown.words.indexOf(word));
        const chosen = rows.indexOf(figure.at);
        const n = b.names.length;
        widen(grid, n);
        grid.fill(table, {
          rows: a.names.map(({ text }) => text),
          columns: b.names.map(({ text }) => text),
          limit: 1,
          chosen: (i) => i === chosen,
        });
        into.toggleAttribute("hidden", chosen < 0);
        if (chosen < 0) return WORDS.mark(shown.words[figure.at].text);
        const row = table[chosen],
          best = row.indexOf(Math.max(...row));
        const byLayer = a.centres.map((_, layer) => cosines(layer, [a.vectors[chosen]])[0]);
        const ways = b.names.map((_, j) => byLayer.map((one) => one[j]));
        const more = ways.filter((_, j) => j !== best).map((way) => ({ way, second: false }));
        draw(into, { way: ways[best], more, senses: [WORDS.alike, WORDS.opposite], layer: after });
        const said = WORDS.summary(
          figure.state.layer,
          a.names[chosen].text,
          b.names[best].text,
          number(row[best]),
        );
        return said + WORDS.curve(number(ways[best][0]), number(ways[best].at(-1)));
      },
    };
  },
};
