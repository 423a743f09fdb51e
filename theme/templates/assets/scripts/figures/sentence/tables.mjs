// Tables that more than one view of a sentence has: a row or a column a word.
import { words } from "../../language.mjs";
import { h } from "../core.mjs";
import { byWord } from "../encoded.mjs";

const WORDS = words({
  map: { zh: "注意力权重", en: "attention weights" },
  key: { zh: "颜色：从 0 到 1", en: "colours: from 0 to 1" },
  asksAsked: { zh: "在问 ↓ 被问 →", en: "asks ↓ asked →" },
});

export const narrow = matchMedia("(max-width: 44.9375em)"); // a phone
/** Whether the numbers of so many words fit beside each other. */
export const few = (n) => n <= (narrow.matches ? 5 : 8);

/** Few words: numbers in the cells. Many: the words above them stand upright. */
export function widen(grid, n, upright = !few(n)) {
  const { classList } = grid.node.querySelector("table");
  classList.toggle("play__grid--compact", !few(n));
  classList.toggle("play__grid--upright", upright);
}

/** The attention weights of a head, word by word: `fill(shown)` returns the row of the chosen one. */
export function attentionMap(figure) {
  const grid = figure.grid({
    title: WORDS.map,
    kind: "weights",
    compact: true,
    rowTitle: WORDS.asksAsked,
    act: (i) => figure.set({ word: i }),
  });
  const key = h(
    "span",
    { class: "play__key", role: "img", "aria-label": WORDS.key },
    "0",
    h("i", {}),
    "1",
  );
  const fill = (shown) => {
    const { layer, head } = figure.state,
      all = shown.words;
    const map = byWord(
      shown.map(layer, head),
      all.map(({ own }) => own),
    );
    const upright = !few(all.length) && !narrow.matches; // a phone has their places
    widen(grid, all.length, upright);
    grid.fill(map, {
      rows: all.map((word, i) =>
        few(all.length) || word.text.endsWith(` ${i}`) ? word.text : `${word.text} ${i}`,
      ),
      columns: all.map((word, i) => (few(all.length) || upright ? word.text : i)),
      chosen: (i) => i === figure.at,
    });
    if (!few(all.length)) grid.node.querySelector("caption").append(key);
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
