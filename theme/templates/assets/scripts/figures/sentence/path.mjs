// The way of a word through the layers, between two groups of words.
import { words } from "../../language.mjs";
import { number } from "../core.mjs";
import { chart, draw } from "../ways.mjs";
import { WORDS as SHARED, quoted } from "./texts.mjs";

const WORDS = words({
  hint: {
    zh: "两组词定出一条线：1 是第一组，−1 是第二组。看这个词一层层往哪边走。",
    en:
      "Two groups of words make a line: 1 is the first, −1 the second. See which way the word " +
      "goes, layer by layer.",
  },
  same: {
    zh: "两组词一样，中间没有线。换一组。",
    en: "Both groups are the same, and there is no line between them. Change one.",
  },
  summary: {
    zh: (word, from, to, first, second) =>
      `${quoted(word)}从 ${from} 走到 ${to}（1 是${first}，−1 是${second}）。`,
    en: (word, from, to, first, second) =>
      `${quoted(word)} goes from ${from} to ${to} (1 is ${first}, −1 is ${second}).`,
  },
  other: {
    zh: (from, to) => `在另一句里，同一个词从 ${from} 走到 ${to}（细线）。`,
    en: (from, to) => ` In the other sentence the same word goes from ${from} to ${to} (thin).`,
  },
});

/** @type {import("../sentence.mjs").View} */
export const view = {
  hint: WORDS.hint,
  groups: true,
  sliders: () => [],
  make(figure) {
    const into = chart();
    return {
      panels: [into],
      /** `cut`: the same way where something is cut; `layer`: one to be marked. */
      draw(shown, cut, layer) {
        const found = figure.groups.way(shown);
        if (!found && shown.live) {
          if (figure.groups.none) return figure.lacks(figure.groups.none);
          return figure.groups.same ? figure.lacks(WORDS.same) : figure.waits();
        }
        if (!found) return figure.lacks(SHARED.needsModel);
        const { names } = figure.groups.used();
        const second = Boolean(shown.recorded?.sense);
        const there = shown.live && !cut && figure.groups.otherWay(shown);
        const more = there ? [{ way: there, second: false }] : [];
        draw(into, { way: found, other: cut, more, senses: names, second, layer });
        const first = (way) => number(way[0]),
          last = (way) => number(way.at(-1));
        if (shown.live) figure.lack.textContent = figure.groups.caution;
        const { text } = shown.words[figure.at];
        const said = WORDS.summary(text, first(found), last(found), names[0], names[1]);
        return said + (there ? WORDS.other(first(there), last(there)) : "");
      },
    };
  },
};
