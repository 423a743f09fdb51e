// pretrained: a sentence of the reader's own in the real model, in seven views. Before the model is
// asked for, one of the page's recorded sentences is shown. What is typed is text: in the box, in
// the address after the #, which no server sees, and on this device.
import { words } from "../language.mjs";
import { Figure, desk, h } from "./core.mjs";
import { here, sentences } from "./sentence/asked.mjs";
import { Groups, fits } from "./sentence/groups.mjs";
import { view as look } from "./sentence/look.mjs";
import { OTHERS, recorded } from "./sentence/shown.mjs";
import { Source } from "./sentence/source.mjs";
import { narrow } from "./sentence/tables.mjs";

/** @typedef {import("./sentence/shown.mjs").Shown} Shown */
/**
 * A way to look at a sentence.
 * @typedef {object} View
 * @property {string} hint
 * @property {string} [upon]  the view on which it builds
 * @property {boolean} [groups]  whether it needs the line between two groups of words
 * @property {(state: any) => string[]} [sliders]  of layer and head those that it needs; both
 * @property {(figure: Sentence) => Made} make
 */
/**
 * Its parts.
 * @typedef {object} Made
 * @property {Element[]} panels
 * @property {Element} [knobs]  its own
 * @property {(shown: Shown, ...more: any[]) => string} draw  the sentence that says what is seen
 */

const WORDS = words({
  step: { zh: "看什么", en: "view" },
  word: { zh: "词", en: "word" },
  layer: { zh: "层", en: "layer" },
  head: { zh: "头", en: "head" },
  waiting: { zh: "正在算…", en: "Computing…" },
  lost: {
    zh: "这种看法的脚本没有取到。检查网络后再选一次。",
    en: "The script of this view did not arrive. Check the connection and choose it again.",
  },
});
const VIEWS = words({
  look: { zh: "谁看谁", en: "who looks where" },
  qkv: { zh: "q、k、分数", en: "q, k, scores" },
  values: { zh: "值", en: "values" },
  path: { zh: "一层层走", en: "layer by layer" },
  cut: { zh: "切断", en: "cut" },
  roles: { zh: "头的分工", en: "roles" },
  compare: { zh: "两句对比", en: "two sentences" },
});
const PLACES = ["head", "layer", "all"]; // where something is cut

/** Those that have come; a script comes when its view is chosen, all of them with the model. */
const kinds = /** @type {Record<string, View>} */ ({ look });
async function bring(step) {
  if (kinds[step]) return;
  const { view } = await globalThis.qkv.load(`figures/sentence/${step}.mjs`);
  if (view.upon) await bring(view.upon);
  kinds[step] = view;
}

const FIRST = -1, // the word that the figure chooses
  KEY = "sentence", // in the storage
  KEPT = ["text", "other", "first", "second", "of"];

export class Sentence extends Figure {
  static longest = 200; // characters in a box
  static always = ["text"]; // whoever follows a link sees that sentence, not the last of their own
  static initial = {
    text: "",
    step: "look",
    layer: 11,
    head: 0,
    word: FIRST,
    first: "",
    second: "",
    of: "", // the word for which the groups were chosen
    hide: OTHERS,
    where: "all",
    every: 0,
    other: "",
  };
  static valid = ({
    text,
    step,
    layer,
    head,
    word,
    first,
    second,
    of,
    hide,
    where,
    every,
    other,
  }) =>
    [text, first, second, of, other].every((one) => one.length <= Sentence.longest) &&
    [first, second].every(fits) &&
    Object.hasOwn(VIEWS, step) &&
    PLACES.includes(where) &&
    [layer, head, word, hide].every(Number.isInteger) &&
    [layer, head].every((x) => x >= 0 && x < 12) &&
    word >= FIRST &&
    hide >= OTHERS &&
    [0, 1].includes(every);

  get initial() {
    return { ...Sentence.initial, text: this.data.sentences[3].text, other: this.data.other };
  }

  build() {
    this.trouble = ""; // why what a view asked for did not come
    this.opened = new Map(); // of the recorded sentences, those unpacked
    this.asked = new Map(); // what is on its way or there, by name
    this.onnarrow = () => this.redraw();
    narrow.addEventListener("change", this.onnarrow);
    this.source = new Source(this);
    this.groups = new Groups(this);
    /** @type {Record<string, Made>} */
    this.views = {};
    this.hint = h("p", { class: "play__hint" });
    this.lack = h("p", { class: "play__hint" }); // what a view cannot show
    this.sliders = h(
      "div",
      { class: "play__row" },
      this.slider("layer", { label: WORDS.layer, min: 0, max: 11 }),
      this.slider("head", { label: WORDS.head, min: 0, max: 11 }),
    );
    this.stage = h("div", { class: "play__row play__pair" });
    this.desk = desk(this.#picker(), this.sliders);
    return [
      this.source.node,
      this.choice("step", {
        label: WORDS.step,
        options: Object.entries(VIEWS),
      }),
      this.hint,
      this.groups.node,
      this.source.other,
      this.desk,
      this.lack,
      this.stage,
    ];
  }

  async prepare() {
    const text = this.state.text.trim();
    const { sentences: all } = this.data;
    await Promise.all([
      sentences.has(text) || this.#open(all.find((one) => one.text === text) ?? all[3]),
      bring(this.state.step).catch(() => {}), // drawing asks once more, and says what is missing
      this.source.started,
    ]);
  }

  /** A view whose script has come; with what is its own on the desk. */
  #view(step) {
    const { upon, make } = kinds[step];
    if (upon) this.#view(upon);
    if (!this.views[step]) {
      this.views[step] = make(this);
      const { knobs } = this.views[step];
      if (knobs) this.desk.append(knobs);
    }
    return this.views[step];
  }

  /** Do something once the script of a view has come. */
  async #once(step, act) {
    this.coming = step;
    this.stage.toggleAttribute("data-waiting", true);
    try {
      await bring(step);
    } catch (error) {
      if (!globalThis.qkv.lost(error)) throw error;
      this.stage.removeAttribute("data-waiting");
      for (const refresh of this.controls) refresh(); // the choice is what it was
      this.lack.textContent = WORDS.lost;
      this.tell(WORDS.lost);
      return;
    }
    if (this.isConnected && this.coming === step) act();
  }

  /** The scripts of all views, so that the network is not asked later on. */
  async bringAll() {
    try {
      await Promise.all(Object.keys(VIEWS).map(bring));
    } catch (error) {
      if (!globalThis.qkv.lost(error)) throw error; // it is said when that view is chosen
    }
  }

  #picker() {
    const picker = this.pick("word", {
      label: WORDS.word,
      chosen: () => this.at,
      act: (word) => this.set({ word }),
      options: () => this.shown?.words.map(({ text }, i) => [i, text]) ?? [],
    });
    picker.classList.add("play__choice--long");
    return picker;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    narrow.removeEventListener("change", this.onnarrow);
  }

  /** Another text in a box. */
  typed(key, text) {
    this.set(key === "text" ? { text, word: FIRST, hide: OTHERS } : { [key]: text });
  }

  set(change, quiet = false) {
    const { step } = change;
    if (step !== undefined) this.coming = undefined;
    if (Object.hasOwn(VIEWS, step) && !kinds[step]) {
      this.#once(step, () => this.set(change, quiet));
      return;
    }
    if (step !== undefined && this.source.missing) this.source.failed = false;
    super.set(change, quiet);
    if (KEPT.some((name) => name in change)) this.#remember();
  }

  #remember() {
    const kept = Object.fromEntries(KEPT.map((name) => [name, this.state[name]]));
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      /* storage refused: the address has it */
    }
  }

  /** A link of a lesson names a view: it is of what was typed. A link with a text has all of its own. */
  takenUp(given) {
    if (KEPT.some((name) => name in given)) return {};
    try {
      const kept = JSON.parse(localStorage.getItem(KEY)) ?? {};
      return Object.fromEntries(
        Object.entries(kept).filter(
          ([name, text]) => KEPT.includes(name) && typeof text === "string",
        ),
      );
    } catch {
      return {}; // nothing kept, or storage refused
    }
  }

  // ---- What takes a while ----

  /** A value once it is there; the figure is drawn again when it comes. */
  soon(name, make) {
    const kept = this.asked.get(name);
    if (kept) {
      this.trouble ||= kept.trouble;
      return kept.value;
    }
    const entry = { value: undefined, trouble: "" };
    this.asked.set(name, entry);
    make()
      .then((value) => {
        entry.value = value;
        if (value === undefined) this.asked.delete(name); // the reader had gone on
        else if (this.isConnected) this.redraw();
        if (this.isConnected && value === undefined) this.refresh();
      })
      .catch((error) => {
        entry.trouble = this.source.why(error);
        if (this.isConnected) this.redraw();
      });
    return undefined;
  }

  /** What failed is tried again. */
  again() {
    this.source.failed = false;
    this.asked.clear();
  }

  /** What was drawn stays, faint, until the next comes; if it cannot come, the reason is said. */
  waits() {
    if (this.trouble) return this.lacks(this.trouble);
    this.stage.toggleAttribute("data-waiting", true);
    const { panels } = this.views[this.state.step];
    const there = panels.filter((node) => node.parentNode === this.stage);
    for (const node of panels) node.toggleAttribute("hidden", !there.includes(node));
    return WORDS.waiting;
  }

  /** Nothing of this view can be drawn. */
  lacks(why) {
    for (const node of this.views[this.state.step].panels) node.toggleAttribute("hidden", true);
    return why;
  }

  /** One of the recorded sentences, unpacked. */
  async #open(wanted) {
    const shown = await recorded(wanted, this.data);
    this.opened.set(wanted.text, shown);
    if (this.state.text.trim() === wanted.text || !this.shown) this.shown = shown;
  }

  // ---- Drawing ----

  /** The sentence that is shown: that of the box where it is there, or else the one before it. */
  #find() {
    const text = this.state.text.trim();
    const found = sentences.get(text) ?? this.opened.get(text);
    if (found) this.shown = found;
    else {
      const wanted = this.data.sentences.find((sentence) => sentence.text === text);
      if (wanted) this.#open(wanted).then(() => this.isConnected && this.redraw());
    }
    return this.shown;
  }

  draw() {
    const shown = this.#find();
    if (!shown) return "";
    const { word, step } = this.state;
    const mine = shown.text === this.state.text.trim(); // the word is one of this sentence
    this.at = mine && word >= 0 && word < shown.words.length ? word : shown.chosen;
    if (!kinds[step]) {
      this.#once(step, () => this.redraw());
      this.refresh();
      return "";
    }
    this.hint.textContent = kinds[step].hint;
    this.lack.textContent = this.trouble = "";
    this.stage.removeAttribute("data-waiting");
    const { panels, draw } = this.#view(step);
    for (const node of panels) node.removeAttribute("hidden");
    const said = draw(shown);
    const there = panels.filter((node) => !node.hasAttribute("hidden"));
    if (
      there.some((node, i) => this.stage.childNodes[i] !== node) ||
      there.length !== this.stage.childNodes.length
    )
      this.stage.replaceChildren(...there);
    this.refresh();
    return said;
  }

  /** What of the controls is there. */
  refresh() {
    const { step } = this.state,
      kind = kinds[step];
    const sliders = kind?.sliders?.(this.state) ?? ["layer", "head"];
    const layerAndHead = /** @type {HTMLElement[]} */ ([...this.sliders.children]);
    for (const [i, name] of ["layer", "head"].entries())
      layerAndHead[i].hidden = !sliders.includes(name);
    this.sliders.hidden = !sliders.length;
    this.groups.node.hidden = !kind?.groups || Boolean(this.shown?.recorded && !here.model);
    this.source.other.hidden = step !== "compare" || this.source.missing === null;
    for (const [name, { knobs }] of Object.entries(this.views))
      knobs?.toggleAttribute("hidden", name !== step);
    this.source.refresh();
  }
}

// Without it (browsers before 2023) the still picture stays.
if ("DecompressionStream" in globalThis) customElements.define("qkv-sentence", Sentence);
