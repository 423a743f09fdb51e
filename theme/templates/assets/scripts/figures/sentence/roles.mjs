// Which head looks most at the next token, at the first, …: in this sentence.
import { words } from "../../language.mjs";
import { h, number } from "../core.mjs";
import { roles } from "../encoded.mjs";
import { attentionMap } from "./tables.mjs";
import { GAP, WORDS as SHARED, gives, headName } from "./texts.mjs";

const WORDS = words({
  hint: {
    zh: "在你这一句里，哪个头最常看某个位置（平均注意力权重）。144 个里总有一个最大的，一句话说明不了太多。",
    en:
      "Which head looks most at such a place in this sentence (mean attention weight). One of " +
      "144 is always the largest, and one sentence does not say much.",
  },
  summary: {
    zh: (role, at, mean) => `看“${role}”最多的头是 ${at}，平均 ${mean}。`,
    en: (role, at, mean) => `The head that looks most at ${role} is ${at}: ${mean} on average.`,
  },
});
const ROLES = words({
  next: { zh: "后一个词元", en: "the next token" },
  previous: { zh: "前一个词元", en: "the previous token" },
  first: { zh: "第一个词元 <s>", en: "the first token, <s>" },
  itself: { zh: "自己", en: "itself" },
  last: { zh: "最后一个词元 </s>", en: "the last token, </s>" },
});

const rolesOf = (shown) => (shown.roles ??= roles(shown.map, shown.layers, shown.heads));

/** @type {import("../sentence.mjs").View} */
export const view = {
  hint: WORDS.hint,
  make(figure) {
    const list = h("ul", { class: "play__roles" });
    const map = attentionMap(figure);
    return {
      panels: [list, map.node],
      draw(shown) {
        const all = rolesOf(shown);
        const row = map.fill(shown);
        const chosen = ({ layer, head }) =>
          layer === figure.state.layer && head === figure.state.head;
        const take = (one) => {
          figure.set({ layer: one.layer, head: one.head });
          list.querySelectorAll("button")[all.indexOf(one)]?.focus();
        };
        list.replaceChildren(
          ...all.map((one) =>
            h(
              "li",
              {},
              h("span", {}, `${ROLES[one.role]} `),
              h(
                "button",
                {
                  type: "button",
                  "aria-pressed": String(chosen(one)),
                  onclick: () => take(one),
                },
                `${headName(one)} ${number(one.mean)}`,
              ),
            ),
          ),
        );
        const plays = all
          .filter(chosen)
          .map(({ role, mean }) =>
            WORDS.summary(ROLES[role], headName(figure.state), number(mean)),
          );
        const looks = SHARED.summaryLook(headName(figure.state), gives(row, shown, figure.at));
        return plays.length ? plays.join(GAP) : looks;
      },
    };
  },
};
