// Two groups of words, the page's or the reader's own, and the line between them in the model.
import { language, words } from "../../language.mjs";
import { h } from "../core.mjs";
import { lineBetween, way } from "../encoded.mjs";
import { here, next, vectors } from "./asked.mjs";
import { plain } from "./shown.mjs";
import { han, inLanguage } from "./texts.mjs";

const WORDS = words({
  groups: { zh: "两组词", en: "two groups of words" },
  first: { zh: "1：最多五个词", en: "1: up to five words" },
  second: { zh: "−1：最多五个词", en: "−1: up to five words" },
  use: { zh: "用这些词", en: "Use these words" },
  own: { zh: "（自己选的词）", en: "(words of your own)" },
  sizes: {
    zh: "每组写一到五个词，用空格隔开。",
    en: "Write one to five words for each group, with spaces between them.",
  },
  computing: {
    zh: (n, all) => `正在算两组词：第 ${n} 个，共 ${all} 个`,
    en: (n, all) => `Computing the two groups: word ${n} of ${all}`,
  },
  computed: { zh: "两组词算好了。", en: "The two groups are computed." },
});

const MOST = 5; // words of a group
const split = (text) => text.split(/[\s,，、;；]+/u).filter(Boolean);
/** In what a word of a group is computed: what stands before it. */
const before = (word) => (han(word) ? "这是" : "this is ");

/** Whether a text can be a group; an empty one leaves the choice to the figure. */
export const fits = (text) => split(text).length <= MOST;

const lines = new Map(); // by the two groups

export class Groups {
  constructor(figure) {
    this.figure = figure;
    this.node = this.#form();
  }

  #form() {
    const { figure } = this,
      ours = figure.data.groups;
    const menu = h(
      "select",
      {
        onchange: () => {
          const one = ours[menu.value];
          if (one) this.#use(one.groups[0], one.groups[1]);
        },
      },
      h("option", { value: "", disabled: true }, WORDS.own),
      ours.map(({ word, senses }, i) =>
        h("option", { value: i }, `${senses.map(inLanguage).join(" / ")}: ${word}`),
      ),
    );
    const field = (label) =>
      h("input", {
        type: "text",
        maxlength: figure.kind.longest,
        autocomplete: "off",
        "aria-label": label,
      });
    const fields = [field(WORDS.first), field(WORDS.second)];
    figure.controls.push(() => {
      const { groups, preset } = this.used();
      menu.value = preset < 0 ? "" : preset;
      for (const [i, input] of fields.entries())
        if (input !== document.activeElement) input.value = groups[i];
    });
    const take = (event) => {
      event.preventDefault();
      const both = fields.map((input) => split(input.value));
      if (both.some(({ length }) => length < 1 || length > MOST)) {
        figure.source.report(WORDS.sizes);
        return;
      }
      this.#use(both[0].join(" "), both[1].join(" "));
    };
    return h(
      "form",
      { class: "play__groups", onsubmit: take },
      h("label", { class: "play__menu" }, h("span", {}, WORDS.groups), menu),
      h("label", { class: "play__field" }, h("span", {}, WORDS.first), fields[0]),
      h("label", { class: "play__field" }, h("span", {}, WORDS.second), fields[1]),
      h("button", { type: "submit" }, WORDS.use),
    );
  }

  #use(first, second) {
    this.figure.again();
    this.figure.set({ first, second });
  }

  /** The two groups in use: the reader's, or ours that fit the word. */
  used() {
    const { state, shown, at } = this.figure,
      { first, second } = state,
      all = this.figure.data.groups;
    let preset = all.findIndex(({ groups }) => groups[0] === first && groups[1] === second);
    if (!first || !second) {
      const word = plain(shown?.words[at]?.text ?? "");
      const own = all.findIndex((one) => one.word === word);
      preset = own < 0 ? all.findIndex((one) => han(one.word) === (language === "zh")) : own;
    }
    if (preset < 0) {
      const name = (text) => split(text)[0] ?? "";
      return { preset, groups: [first, second], names: [name(first), name(second)] };
    }
    const { groups, senses } = all[preset];
    return { preset, groups, names: senses.map(inLanguage) };
  }

  /** Whether they are those for which paths and pushes of a recorded sentence are there. */
  areThoseOf({ recorded }) {
    return this.figure.data.groups[this.used().preset]?.word === recorded.known.word;
  }

  /** Whether both have the same words. */
  get same() {
    const [first, second] = this.used().groups.map((text) => split(text).sort().join(" "));
    return first === second;
  }

  /** The line between them; undefined where there is none, or not yet. */
  line() {
    const { groups } = this.used();
    const name = groups.join(" | ");
    if (lines.has(name)) return lines.get(name);
    if (!here.model || this.same) return undefined;
    return this.figure.soon(`line ${name}`, async () => {
      const both = groups.map(split);
      const all = both.flat();
      const found = [];
      for (const [i, word] of all.entries()) {
        if (this.used().groups.join(" | ") !== name) return undefined; // the reader has gone on
        this.figure.source.report(WORDS.computing(i + 1, all.length));
        const one = await next(() => here.model.sentence(before(word) + word));
        const own = [...one.pieces.entries()]
          .filter(([, piece]) => piece.word !== null && piece.end > before(word).length)
          .map(([at]) => at);
        found.push(vectors(one, own));
      }
      this.figure.source.report(WORDS.computed);
      const line = lineBetween(found.slice(0, both[0].length), found.slice(both[0].length));
      lines.set(name, line);
      return line;
    });
  }

  /** The way of the chosen word along it; null where nobody recorded it, undefined not yet. */
  way(shown) {
    const { recorded, live } = shown,
      { own } = shown.words[this.figure.at];
    if (recorded) {
      const there = this.areThoseOf(shown) && recorded.own.includes(own[0]);
      return there ? recorded.path.map((x) => x / 100) : null;
    }
    const line = this.line();
    return line && way(vectors(live, own), line);
  }
}
