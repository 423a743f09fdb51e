// Two groups of words, the page's or the reader's own, and the line between them in the model.
import { words } from "../../language.mjs";
import { h } from "../core.mjs";
import { lineBetween, way } from "../encoded.mjs";
import { here, next, sentences, vectors } from "./asked.mjs";
import { plain } from "./shown.mjs";
import { han, inLanguage, quoted } from "./texts.mjs";

const WORDS = words({
  groups: { zh: "两组词", en: "two groups of words" },
  first: { zh: "1：最多五个词", en: "1: up to five words" },
  second: { zh: "−1：最多五个词", en: "−1: up to five words" },
  use: { zh: "用这些词", en: "Use these words" },
  own: { zh: "（自己选的词）", en: "(words of your own)" },
  choose: {
    zh: (word, ours) =>
      `本页的两组词是给${ours}的，没有给${quoted(word)}的。在上面写两组，各代表一个意思，再按“用这些词”。`,
    en: (word, ours) =>
      `The groups of this page are for ${ours}, none for ${quoted(word)}. Write two above, one for ` +
      "each meaning, and press “Use these words”.",
  },
  ofAnother: {
    zh: (other, word) => `这两组词是给${quoted(other)}选的；对${quoted(word)}不一定说明什么。`,
    en: (other, word) =>
      `These groups were chosen for ${quoted(other)}; they need not say anything of ${quoted(word)}.`,
  },
  separator: { zh: "、", en: ", " },
  edited: {
    zh: "图还是用原来的词画的。按“用这些词”再算。",
    en: "The figure still has the words from before. Press “Use these words”.",
  },
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
        oninput: () => this.report(WORDS.edited),
      });
    const fields = [field(WORDS.first), field(WORDS.second)];
    figure.controls.push(() => {
      const { groups, preset } = this.used();
      menu.value = preset < 0 ? "" : preset;
      for (const [i, input] of fields.entries())
        if (input !== document.activeElement) input.value = groups[i];
    });
    this.said = h("p", { class: "play__hint", role: "status" });
    const take = (event) => {
      event.preventDefault();
      const both = fields.map((input) => split(input.value));
      if (both.some(({ length }) => length < 1 || length > MOST)) {
        this.report(WORDS.sizes);
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
      this.said,
    );
  }

  report(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  #use(first, second) {
    this.report("");
    this.figure.again();
    this.figure.set({ first, second, of: this.#word });
  }

  get #word() {
    const { shown, at } = this.figure;
    return plain(shown?.words[at]?.text ?? "");
  }

  /** The two groups in use: those chosen for this word, ours that fit it, or none. */
  used() {
    const { first, second, of } = this.figure.state,
      all = this.figure.data.groups,
      word = this.#word;
    let preset = all.findIndex(({ groups }) => groups[0] === first && groups[1] === second);
    const fitting = all.findIndex((one) => one.word === word);
    if (!first || !second || (fitting >= 0 && of && of !== word)) preset = fitting;
    if (preset < 0) {
      const name = (text) => split(text)[0] ?? "";
      return { preset, groups: [first, second], names: [name(first), name(second)] };
    }
    const { groups, senses } = all[preset];
    return { preset, groups, names: senses.map(inLanguage) };
  }

  /** What to do where there are none for this word. */
  get none() {
    if (this.used().groups.every(Boolean)) return "";
    const ours = this.figure.data.groups.map(({ word }) => quoted(word));
    return WORDS.choose(this.#word, ours.join(WORDS.separator));
  }

  /** What is to be said of groups that were chosen for another word. */
  get caution() {
    const { preset } = this.used(),
      other = preset < 0 ? this.figure.state.of : this.figure.data.groups[preset].word;
    return other && other !== this.#word ? WORDS.ofAnother(other, this.#word) : "";
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
    if (!here.model || this.none || this.same) return undefined;
    return this.figure.soon(`line ${name}`, async () => {
      const both = groups.map(split);
      const all = both.flat();
      const found = [];
      const ended = (text) => this.used().groups.join(" | ") === name && this.report(text);
      for (const [i, word] of all.entries()) {
        if (this.used().groups.join(" | ") !== name) return undefined; // the reader has gone on
        this.report(WORDS.computing(i + 1, all.length));
        const one = await next(() => here.model.sentence(before(word) + word)).catch((error) => {
          ended("");
          throw error;
        });
        const own = [...one.pieces.entries()]
          .filter(([, piece]) => piece.word !== null && piece.end > before(word).length)
          .map(([at]) => at);
        found.push(vectors(one, own));
      }
      ended(WORDS.computed);
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

  /** The way of the same word in the other sentence, where that is computed and has it. */
  otherWay(shown) {
    const other = sentences.get(this.figure.state.other.trim());
    if (!other || other === shown) return undefined;
    const wanted = plain(shown.words[this.figure.at].text);
    const word = other.words.find((one) => one.inText && plain(one.text) === wanted);
    const line = word && this.line();
    return line && way(vectors(other.live, word.own), line);
  }
}
