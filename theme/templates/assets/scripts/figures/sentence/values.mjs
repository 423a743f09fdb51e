// What each word's value adds, and how far that pushes along the line between two groups of words.
import { words } from "../../language.mjs";
import { number } from "../core.mjs";
import { added, byWord, meanRow } from "../encoded.mjs";
import { dot } from "../maths.mjs";
import { inside } from "./asked.mjs";
import { fillColumn } from "./tables.mjs";
import { WORDS as SHARED, gives, headName, keptHeads, quoted, signed } from "./texts.mjs";

const WORDS = words({
  hint: {
    zh:
      "每个词加进来的是注意力权重 × 它的值；加起来就是这个头给这个词的结果。推力是它沿两组词的线推多远，" +
      "朝第一组为正。格子里彩色为正、灰色为负，越深绝对值越大。",
    en:
      "Each word adds its attention weight times its value; the sum is what the head gives to " +
      "this word. A push is how far that goes along the line between the two groups, positive " +
      "towards the first. Coloured cells are positive, grey ones negative, stronger is larger.",
  },
  adds: { zh: "注意力权重 × v", en: "attention weight × v" },
  sum: { zh: "合计", en: "sum" },
  push: { zh: "推力", en: "push" },
  fromPush: { zh: "注意力权重 × (v·W_O)·u", en: "attention weight × (v·W_O)·u" },
  summary: {
    zh: (at, word, most, share) =>
      `${at}：给${quoted(word)}的结果里，加得最多的是${quoted(most)}（注意力权重 × v 的长度 ${share}）。`,
    en: (at, word, most, share) =>
      `${at}: most of what ${quoted(word)} gets comes from ${quoted(most)} (attention weight × v ` +
      `has the length ${share}).`,
  },
  noPush: {
    zh: (first, second) => `在“${first}”与“${second}”之间，谁都推不到 0.01。`,
    en: (first, second) => ` Between ${first} and ${second} no push reaches 0.01.`,
  },
  summaryPush: {
    zh: (most, push, side) => `推得最多的是${quoted(most)}：${push}，朝“${side}”。`,
    en: (most, push, side) =>
      ` The largest push is that of ${quoted(most)}: ${push}, towards ${side}.`,
  },
});

/** Numbers of tokens, summed over those of each word. */
const tokensOf = (numbers, all) => all.map((own) => own.reduce((sum, j) => sum + numbers[j], 0));

/** What each word's value adds along the line; null where that is not known. */
function pushesOf(figure, shown, tokens, found) {
  const { layer, head } = figure.state,
    all = shown.words.map((word) => word.own);
  if (shown.recorded) {
    const known = shown.recorded.own.includes(shown.words[figure.at].own[0]);
    if (!known || !figure.groups.areThoseOf(shown)) return null;
    return tokensOf(shown.recorded.pushes[layer][head], all);
  }
  const line = figure.groups.line();
  if (!line || !found) return null;
  const { direction } = line[layer + 1];
  return tokensOf(
    tokens.map((weight, j) => weight * dot(found.out[j], direction)),
    all,
  );
}

/** @type {import("../sentence.mjs").View} */
export const view = {
  hint: WORDS.hint,
  groups: true,
  make(figure) {
    const row = figure.grid({ title: SHARED.a, kind: "weights" });
    const push = figure.grid({ title: WORDS.push, kind: "scores", from: () => WORDS.fromPush });
    const adds = figure.grid({ title: WORDS.adds, kind: "v", compact: true });

    /** The tables of what is added; in words the largest part. */
    function fillAdded(shown, tokens, { v }) {
      const all = shown.words.map((word) => word.own);
      const parts = added(tokens, v, all);
      const total = parts[0].map((_, c) => parts.reduce((sum, part) => sum + part[c], 0));
      adds.fill([...parts, total], {
        rows: [...shown.words.map(({ text }) => text), WORDS.sum],
      });
      const sizes = parts.map((part) => Math.hypot(...part));
      const most = sizes.indexOf(Math.max(...sizes));
      const [word, other] = [figure.at, most].map((i) => shown.words[i].text);
      return WORDS.summary(headName(figure.state), word, other, number(sizes[most]));
    }

    /** The same for the pushes. */
    function fillPushes(shown, pushes) {
      fillColumn(push, pushes, shown, figure.at, {
        texts: pushes.map((x) => [signed(x)]),
        limit: Math.max(0.15, ...pushes.map(Math.abs)),
      });
      const most = pushes.reduce(
        (best, x, i) => (Math.abs(x) > Math.abs(pushes[best]) ? i : best),
        0,
      );
      const { names } = figure.groups.used();
      if (Math.abs(pushes[most]) < 0.01) return WORDS.noPush(names[0], names[1]);
      const side = names[pushes[most] > 0 ? 0 : 1];
      return WORDS.summaryPush(shown.words[most].text, signed(pushes[most]), side);
    }

    return {
      panels: [row.node, push.node, adds.node],
      draw(shown) {
        const { layer, head } = figure.state;
        const found = inside(figure, shown),
          map = shown.map(layer, head);
        const tokens = meanRow(map, shown.words[figure.at].own);
        const weights = byWord(
          map,
          shown.words.map((word) => word.own),
        )[figure.at];
        fillColumn(row, weights, shown, figure.at);
        adds.node.hidden = !found;
        if (!found && !shown.recorded) return figure.waits();
        if (!found) figure.lack.textContent = keptHeads(shown);
        const said = found ? fillAdded(shown, tokens, found) : "";
        const pushes = pushesOf(figure, shown, tokens, found);
        push.node.hidden = !pushes;
        if (pushes) return said + fillPushes(shown, pushes);
        const looks = () => gives(weights, shown, figure.at);
        return said || SHARED.summaryLook(headName(figure.state), looks());
      },
    };
  },
};
