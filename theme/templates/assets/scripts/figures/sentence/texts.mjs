// What is told about a sentence in more than one of its views: words, heads, weights.
import { language, words } from "../../language.mjs";
import { number } from "../core.mjs";

export const quoted = { zh: (word) => `“${word}”`, en: (word) => `“${word}”` }[language];
export const signed = (x) => (Number(x.toFixed(2)) > 0 ? "+" : "") + number(x);
/** From one number to another, as far as both are written: a reader who subtracts finds the same. */
export const apart = (from, to) => signed(Number(to.toFixed(2)) - Number(from.toFixed(2)));
/** What stands between two sentences. */
export const GAP = language === "zh" ? "" : " ";
export const headName = ({ layer, head }) => `L${layer}H${head}`;
/** Of a name as the data have it, in Chinese and in English, the page's. */
export const inLanguage = ([zh, en]) => ({ zh, en })[language];
export const han = (text) => /\p{Script=Han}/u.test(text);

export const WORDS = words({
  needsModel: {
    zh: "记录好的句子里没有这一步要的数。按上面的按钮，用模型来算。",
    en: "The recorded sentences do not have these numbers. The button above has the model compute.",
  },
  keptHeads: {
    zh: (list) => `记录好的句子只带 ${list.join("、")} 的 q、k、v。选其中一个，或按上面的按钮。`,
    en: (list) =>
      `The recorded sentences have q, k and v of ${list.join(", ")} only. Choose one of them, or ` +
      "press the button above.",
  },
  a: { zh: "注意力权重 a", en: "attention weights a" },
  list: { zh: (parts) => parts.join("，"), en: (parts) => parts.join(", ") },
  gives: {
    zh: (word, to) => `${quoted(word)}给${to}`,
    en: (word, to) => `${quoted(word)} gives ${to}`,
  },
  givesTo: {
    zh: (weight, to) => `${quoted(to)}${weight}`,
    en: (weight, to) => `${weight} to ${quoted(to)}`,
  },
  summaryLook: { zh: (at, gives) => `${at}：${gives}。`, en: (at, gives) => `${at}: ${gives}.` },
});

/** “苹果” gives 0.35 to “手机”, … @param {number[]} row  of the word `at`, a weight a word */
export function gives(row, shown, at) {
  const parts = [...row.entries()]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3)
    .map(([j, weight]) => WORDS.givesTo(number(weight), shown.words[j].text));
  return WORDS.gives(shown.words[at].text, WORDS.list(parts));
}

/** Why q, k and v are not there: only some heads were recorded. */
export const keptHeads = (shown) => WORDS.keptHeads(shown.recorded.kept);
