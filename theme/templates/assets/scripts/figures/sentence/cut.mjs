// The same way where the word does not see something: in a head, in a layer, everywhere.
import { words } from "../../language.mjs";
import { h, number } from "../core.mjs";
import { pairs, way } from "../encoded.mjs";
import { next, vectors } from "./asked.mjs";
import { OTHERS } from "./shown.mjs";
import { WORDS as SHARED, apart, headName, quoted } from "./texts.mjs";

const WORDS = words({
  hint: {
    zh:
      "选一个词，不让这个词看见它（被遮的词还在句中，本来给它的注意力分给别的词），再走一遍。实线是原来的，点线是切断后的，" +
      "灰带是切的那一层。这是量出来的后果，不是解释：别的头会补上，后面的层也会变。",
    en:
      "Hide something from the word (it stays in the sentence; its share of attention goes to the " +
      "others) and run again. The solid line is without the cut, the dotted one with it; the grey " +
      "band is the layer that is cut. What you see is a measured effect, no explanation: other " +
      "heads make up for it, and later layers change as well.",
  },
  yardstick: {
    zh: (word, mean, most) =>
      `参照：本页${quoted(word)}意思相同的两句，不切也有差别：终点平均相差 ${mean}，最多 ${most}。`,
    en: (word, mean, most) =>
      `A yardstick: uncut, two sentences of this page with the same meaning of ${quoted(word)} end ` +
      `${mean} apart on average, ${most} at most.`,
  },
  hide: { zh: "不让它看见", en: "hide from it" },
  others: { zh: "所有别的词", en: "all other words" },
  where: { zh: "在哪里切", en: "where" },
  head: { zh: "只在这个头", en: "this head only" },
  layer: { zh: "这一层的所有头", en: "all heads of this layer" },
  all: { zh: "所有层、所有头", en: "all layers and heads" },
  every: { zh: "对句中每个词都切", en: "for every word of the sentence" },
  summary: {
    zh: (word, who, what, where, whole, cut, by) =>
      `${where}，${who}看不见${what}：${quoted(word)}的终点从 ${whole} 变成 ${cut}，相差 ${by}。`,
    en: (word, who, what, where, whole, cut, by) =>
      `With ${what} hidden from ${who}, ${where}: the end of ${quoted(word)} moves from ${whole} ` +
      `to ${cut}, by ${by}.`,
  },
  everyWord: { zh: "句中每个词都", en: "every word of the sentence" },
});

const PLACES = ["head", "layer", "all"];

/** How far apart sentences of one meaning end: of the page's, in which a word has several. */
function yardstick({ sentences, words: known }) {
  const end = ({ path }) => path.at(-1) / 100; // they are stored in hundredths
  const found = sentences.flatMap((one, i) =>
    sentences
      .slice(i + 1)
      .filter(({ word, sense }) => word === one.word && sense === one.sense)
      .map((other) => ({ word: known[one.word].word, gap: Math.abs(end(one) - end(other)) })),
  );
  const gaps = found.map(({ gap }) => gap);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return WORDS.yardstick(found[0].word, number(mean), number(Math.max(...gaps)));
}

/** The recorded path with one word hidden, where the word is one token. */
const hiddenOf = (shown, at, own) =>
  own.length === 1 && shown.recorded.own.includes(shown.words[at].own[0])
    ? shown.recorded.hidden[own[0]]
    : undefined;

/** Pairs of tokens, the first of which no longer sees the second. @param {number[]} askers */
const hiddenPairs = (all, askers, hide) =>
  askers.flatMap((i) => {
    const seen = hide === OTHERS ? all.filter((_, j) => j !== i) : i === hide ? [] : [all[hide]];
    return pairs(
      all[i].own,
      seen.flatMap((one) => one.own),
    );
  });

/** @type {import("../sentence.mjs").View} */
export const view = {
  hint: WORDS.hint,
  upon: "path",
  groups: true,
  sliders: ({ where }) => ({ head: ["layer", "head"], layer: ["layer"], all: [] })[where],
  make(figure) {
    const { path } = figure.views;
    const menu = h("select", { onchange: () => figure.set({ hide: Number(menu.value) }) });
    const knobs = h(
      "div",
      { class: "play__row" },
      h("label", { class: "play__menu" }, h("span", {}, WORDS.hide), menu),
      figure.menu("where", {
        label: WORDS.where,
        options: PLACES.map((place) => [place, WORDS[place]]),
      }),
      figure.toggle("every", { label: WORDS.every }),
      h("p", { class: "play__hint play__whole" }, yardstick(figure.data)),
    );

    function fillMenu(all, hide) {
      menu.replaceChildren(
        h("option", { value: OTHERS, selected: hide === OTHERS }, WORDS.others),
        ...all.flatMap(({ text }, j) =>
          j === figure.at ? [] : [h("option", { value: j, selected: hide === j }, text)],
        ),
      );
    }

    /** The way after the cut; undefined where nobody recorded it, or not yet. */
    function wayOf(shown, hide) {
      const { at, state, groups } = figure,
        { where, layer, head, every } = state,
        all = shown.words;
      if (shown.recorded) {
        if (where !== "all" || every) return undefined;
        const { alone } = shown.recorded;
        const stored = hide === OTHERS ? alone : hiddenOf(shown, at, all[hide].own);
        return stored?.map((x) => x / 100);
      }
      const line = groups.line();
      if (!line) return undefined;
      const name = [shown.text, at, hide, where, layer, head, every, groups.used().groups];
      return figure.soon(`cut ${name.join(" ")}`, () =>
        next(async () => {
          const now = figure.state;
          if (now.layer !== layer || now.head !== head || now.where !== where) return undefined;
          const found = await shown.live.cut({
            layer: where === "all" ? null : layer,
            head: where === "head" ? head : null,
            tokens: hiddenPairs(all, every ? [...all.keys()] : [at], hide),
          });
          return way(vectors(found, all[at].own), line);
        }),
      );
    }

    return {
      panels: path.panels,
      knobs,
      draw(shown) {
        const { at, state } = figure,
          all = shown.words;
        const hide = state.hide === at || state.hide >= all.length ? OTHERS : state.hide;
        fillMenu(all, hide);
        const cut = wayOf(shown, hide);
        const said = path.draw(shown, cut, state.where === "all" ? undefined : state.layer);
        const whole = figure.groups.way(shown)?.at(-1);
        if (whole === undefined) return said;
        if (!cut) {
          if (shown.live) return figure.waits();
          figure.lack.textContent = SHARED.needsModel;
          return said;
        }
        const place = {
          head: headName(state),
          layer: `L${state.layer}`,
          all: WORDS.all,
        }[state.where];
        const what = hide === OTHERS ? WORDS.others : quoted(all[hide].text);
        const end = cut.at(-1);
        return WORDS.summary(
          all[at].text,
          state.every ? WORDS.everyWord : quoted(all[at].text),
          what,
          place,
          number(whole),
          number(end),
          apart(whole, end),
        );
      },
    };
  },
};
