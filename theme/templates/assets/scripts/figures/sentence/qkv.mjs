// Queries, keys and scores of one head. They are those of tokens, not of words.
import { words } from "../../language.mjs";
import { h, number } from "../core.mjs";
import { byWord } from "../encoded.mjs";
import { transpose } from "../maths.mjs";
import { inside } from "./asked.mjs";
import { WORDS as SHARED, gives, headName, keptHeads, quoted } from "./texts.mjs";

const WORDS = words({
  hint: {
    zh:
      "这里一行是一个词元（▁ 是前面的空格）。查询与每个键做点积，除以 √32 是缩放后的分数；一行分数做 " +
      "softmax 就是注意力权重，只看分数之间差多少，负的也能最高。格子里彩色为正、灰色为负，越深绝对值越大。",
    en:
      "Rows are tokens here (▁ is the space before). The query with each key, divided by √32, is " +
      "the scaled score; softmax makes attention weights of a row of scores. Only differences " +
      "between scores count: a negative one may be the highest. Coloured cells are positive, " +
      "grey ones negative, stronger is larger.",
  },
  scaled: { zh: "缩放后的分数", en: "scaled scores" },
  fromScaled: { zh: "q·k / √32", en: "q·k / √32" },
  fromSoftmax: { zh: "这一行分数的 softmax", en: "softmax of the row of scores" },
  summary: {
    zh: (at, word, key, score, gives) =>
      `${at}：${quoted(word)}的查询与${quoted(key)}的键分数最高，${score}。${gives}。`,
    en: (at, word, key, score, gives) =>
      `${at}: the query of ${quoted(word)} scores highest with the key of ${quoted(key)}, ` +
      `${score}. ${gives}.`,
  },
});

/** @type {import("../sentence.mjs").View} */
export const view = {
  hint: WORDS.hint,
  make(figure) {
    const q = figure.grid({ title: "q", kind: "q", compact: true });
    const k = figure.grid({ title: "K", kind: "k", compact: true });
    const v = figure.grid({ title: "V", kind: "v", compact: true });
    const scores = figure.grid({
      title: WORDS.scaled,
      kind: "scores",
      from: () => WORDS.fromScaled,
    });
    const weights = figure.grid({
      title: SHARED.a,
      kind: "weights",
      from: () => WORDS.fromSoftmax,
    });
    return {
      panels: [
        h("div", { class: "play__wide" }, q.node, k.node),
        h("div", { class: "play__twin" }, scores.node, weights.node),
        h("div", { class: "play__wide" }, v.node),
      ],
      draw(shown) {
        const found = inside(figure, shown);
        if (!found) {
          return shown.recorded ? figure.lacks(keptHeads(shown)) : figure.waits();
        }
        const { layer, head } = figure.state,
          { own } = shown.words[figure.at],
          { pieces } = shown;
        const map = shown.map(layer, head);
        const columns = own.map((i) => pieces[i]);
        q.fill(
          own.map((i) => found.q[i]),
          { rows: columns },
        );
        const asking = (i) => own.includes(i);
        k.fill(found.k, { rows: pieces, chosen: asking });
        v.fill(found.v, { rows: pieces, chosen: asking });
        scores.fill(transpose(own.map((i) => found.scores[i])), { rows: pieces, columns });
        weights.fill(transpose(own.map((i) => map[i])), { rows: pieces, columns });
        const score = found.scores[own[0]];
        const best = score.indexOf(Math.max(...score));
        const row = byWord(
          map,
          shown.words.map((word) => word.own),
        )[figure.at];
        return WORDS.summary(
          headName(figure.state),
          pieces[own[0]],
          pieces[best],
          number(score[best]),
          gives(row, shown, figure.at),
        );
      },
    };
  },
};
