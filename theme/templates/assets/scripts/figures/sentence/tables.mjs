// Tables that more than one view of a sentence has: a row or a column a word.
import { words } from "../../language.mjs";
import { byWord } from "../encoded.mjs";

const WORDS = words({
  map: { zh: "注意力权重", en: "attention weights" },
  asksAsked: { zh: "在问 ↓ 被问 →", en: "asks ↓ asked →" },
});

export const narrow = matchMedia("(max-width: 44.9375em)"); // a phone
/** Whether the numbers of so many words fit beside each other. */
export const few = (n) => n <= (narrow.matches ? 5 : 8);

/** Few words: numbers in the cells and words above them. */
export const widen = (grid, n) =>
  grid.node.querySelector("table").classList.toggle("play__grid--compact", !few(n));

/** The attention weights of a head, word by word: `fill(shown)` returns the row of the chosen one. */
export function attentionMap(figure) {
  const grid = figure.grid({
    title: WORDS.map,
    kind: "weights",
    compact: true,
    rowTitle: WORDS.asksAsked,
    act: (i) => figure.set({ word: i }),
  });
  const fill = (shown) => {
    const { layer, head } = figure.state,
      all = shown.words;
    const map = byWord(
      shown.map(layer, head),
      all.map(({ own }) => own),
    );
    widen(grid, all.length);
    grid.fill(map, {
      rows: all.map((word, i) =>
        few(all.length) || word.text.endsWith(` ${i}`) ? word.text : `${word.text} ${i}`,
      ),
      columns: all.map((word, i) => (few(all.length) ? word.text : i)),
      chosen: (i) => i === figure.at,
    });
    return map[figure.at];
  };
  return { node: grid.node, fill };
}

/** A number for each word, under the chosen one. */
export const fillColumn = (grid, numbers, shown, at, more = {}) =>
  grid.fill(
    numbers.map((x) => [x]),
    { rows: shown.words.map(({ text }) => text), columns: [shown.words[at].text], ...more },
  );
