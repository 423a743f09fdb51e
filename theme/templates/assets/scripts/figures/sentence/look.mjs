// Who looks where: a row of attention weights for each word.
import { words } from "../../language.mjs";
import { attentionMap, few, fillColumn } from "./tables.mjs";
import { GAP, WORDS as SHARED, gives, headName } from "./texts.mjs";

const WORDS = words({
  hint: {
    zh: "一行是一个词分出去的注意力，加起来是 1。点一行换词；移动两个滑块，看 144 个头各不相同。",
    en:
      "A row is how one word shares out its attention; it sums to 1. Press a row for another " +
      "word; move both sliders to see how the 144 heads differ.",
  },
  many: {
    zh: (n) => `${n} 个词的图太大，不画；只列出所选的词分出去的注意力。`,
    en: (n) => `A map of ${n} words would be too large: here is the row of the chosen word only.`,
  },
  tokens: {
    zh: (pieces) => `词元：${pieces.join(" · ")}。`,
    en: (pieces) => `Tokens: ${pieces.join(" · ")}.`,
  },
});

const MOST = 60; // of more nobody reads the cells

/** @type {import("../sentence.mjs").View} */
export const view = {
  hint: WORDS.hint,
  make(figure) {
    const map = attentionMap(figure);
    const row = figure.grid({ title: "a", kind: "weights" });
    row.node.classList.add("play__plain"); // the colours are those of the map
    return {
      panels: [map.node, row.node],
      draw(shown) {
        const weights = map.fill(shown),
          n = shown.words.length;
        fillColumn(row, weights, shown, figure.at);
        row.node.hidden = few(n); // it stands in the map
        map.node.hidden = n > MOST;
        if (n > MOST) figure.lack.textContent = WORDS.many(n);
        const tokens = shown.words[figure.at].own.map((i) => shown.pieces[i]);
        const of = tokens.length > 1 ? GAP + WORDS.tokens(tokens) : "";
        return SHARED.summaryLook(headName(figure.state), gives(weights, shown, figure.at)) + of;
      },
    };
  },
};
