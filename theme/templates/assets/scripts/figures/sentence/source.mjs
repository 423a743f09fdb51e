// Where the sentence comes from: the box, one of the page's, and what pressing the button costs.
import { words } from "../../language.mjs";
import { COMING, coming, size } from "../coming.mjs";
import { Lost, h } from "../core.mjs";
import { here, next, sentences } from "./asked.mjs";
import { computed } from "./shown.mjs";
import { GAP } from "./texts.mjs";

const WORDS = words({
  text: { zh: "你的句子", en: "your sentence" },
  other: { zh: "另一句（可以是另一种语言）", en: "another sentence (in another language, say)" },
  ours: { zh: "本页的句子", en: "a sentence of this page" },
  typed: { zh: "（自己写的）", en: "(one of your own)" },
  compute: { zh: "计算", en: "Compute" },
  fetchAndCompute: {
    zh: (bytes) => `取模型（${size(bytes)}）并计算`,
    en: (bytes) => `Fetch the model (${size(bytes)}) and compute`,
  },
  stop: { zh: "停止", en: "Stop" },
  end: { zh: "。", en: "." },
  everything: {
    zh: (bytes) => `连同所有少见的词一起取（再加 ${size(bytes)}）：以后不再为哪个词发请求`,
    en: (bytes) =>
      `Fetch all rare words as well (${size(bytes)} more): no word is asked for later on`,
  },
  missing: {
    zh: (python, all) =>
      `按下按钮才会取 ${size(all)}${python ? `（其中 Python ${size(python)}）` : ""}，只取一次。` +
      "句子本身不会发出去。",
    en: (python, all) =>
      `Only the button fetches ${size(all)}${python ? ` (${size(python)} of it Python)` : ""}, ` +
      "once. The sentence itself is not sent.",
  },
  wants: {
    zh: (bytes) => `这句里有少见的词，要再取 ${size(bytes)}。`,
    en: (bytes) => `This sentence has rare words: ${size(bytes)} more to fetch.`,
  },
  stale: {
    zh: (shown) => `下面画的还是“${shown}”。按按钮计算你的句子。`,
    en: (shown) => `Below is still “${shown}”. Press the button to compute yours.`,
  },
  unknown: {
    zh: (parts) =>
      `不在词表里：${parts.join("、")}。模型把它们都当成同一个“未知”，换成别的结果也一样。`,
    en: (parts) =>
      `Not in the vocabulary: ${parts.join(", ")}. To the model these are all one “unknown”; any ` +
      "others would give the same numbers.",
  },
  long: {
    zh: (most) => `最多 ${most} 个字符，后面的没有放进来。`,
    en: (most) => `At most ${most} characters fit; what came after them was left out.`,
  },
  still: {
    zh: (shown) => `下面画的还是“${shown}”。`,
    en: (shown) => `Below is still “${shown}”.`,
  },
  noModel: {
    zh: "这个站点没有带模型，只能看记录好的句子。",
    en: "This copy of the site has no model: there are only the recorded sentences.",
  },
  empty: { zh: "先写一句话。", en: "Write a sentence first." },
  computing: { zh: "正在计算…", en: "Computing…" },
});

/** Still to be fetched, of all and of Python; nothing while nobody knows. */
const toFetch = (missing, everything) => {
  if (!missing) return { all: 0, python: 0 };
  const model = everything ? missing.everything : missing.model;
  return { all: missing.python + model, python: missing.python };
};

const HALF = /[\uD800-\uDBFF]$/; // of a character in two

export class Source {
  constructor(figure) {
    this.figure = figure;
    /** @type {{ python: number, model: number, everything: number } | null | undefined} */
    this.missing = undefined; // null: this build has no model
    this.wants = 0; // bytes of rare words of what is typed
    this.failed = false; // what is said stays until something is done
    this.long = false; // whether more was typed than fits
    /** @type {AbortController | undefined} */
    this.busy = undefined;
    this.fetching = false;
    this.own = this.#form("text", WORDS.text);
    this.other = this.#form("other", WORDS.other); // stands where two sentences are compared
    this.buttons = [this.own, this.other].map((form) => form.querySelector("button"));
    this.everything = h("input", { type: "checkbox", onchange: () => this.refresh() });
    this.everythingText = h("span", {});
    this.everythingLine = h(
      "label",
      { class: "play__toggle", hidden: true },
      this.everything,
      this.everythingText,
    );
    this.said = h("p", { class: "play__hint", role: "status" });
    this.bar = h("progress", { max: 1, "aria-label": WORDS.computing });
    const stop = () => this.busy?.abort();
    this.stop = h("button", { type: "button", hidden: true, onclick: stop }, WORDS.stop);
    this.progress = h("p", { class: "play__bar", hidden: true }, this.bar, this.stop);
    this.node = h(
      "div",
      { class: "play__source", "aria-busy": "true" },
      this.own,
      h("label", { class: "play__menu" }, h("span", {}, WORDS.ours), this.#ours()),
      this.everythingLine,
      this.progress,
      this.said,
    );
    this.started = this.#start(); // whether or not the model can be had
  }

  #form(key, label) {
    const { figure } = this;
    const input = h("input", {
      type: "text",
      autocomplete: "off",
      spellcheck: "false",
      enterkeyhint: "go",
      oninput: () => {
        const { longest } = figure.kind;
        this.long = input.value.length > longest;
        if (this.long) input.value = input.value.slice(0, longest).replace(HALF, "");
        this.#typed(key, input.value);
      },
    });
    figure.controls.push(() => {
      if (input.value !== figure.state[key]) input.value = figure.state[key];
    });
    const submit = (event) => {
      event.preventDefault();
      this.#compute(key);
    };
    return h(
      "form",
      { class: "play__typed", onsubmit: submit },
      h("label", { class: "play__field" }, h("span", {}, label), input),
      h("button", { type: "submit", "data-compute": key }),
    );
  }

  #ours() {
    const { figure } = this,
      texts = figure.data.sentences.map(({ text }) => text);
    const menu = h(
      "select",
      { onchange: () => this.#typed("text", menu.value) },
      h("option", { value: "", disabled: true }, WORDS.typed),
      texts.map((text) => h("option", { value: text }, text)),
    );
    figure.controls.push(() => {
      const { text } = figure.state;
      menu.value = texts.includes(text) ? text : "";
    });
    return menu;
  }

  /** The script that asks the model, and what the model would cost. */
  async #start() {
    this.failed = false;
    try {
      here.script ??= await globalThis.qkv.load("model.mjs");
      await this.#count();
    } catch (error) {
      this.fail(error);
    } finally {
      this.node.removeAttribute("aria-busy");
      this.refresh();
    }
  }

  async #count() {
    this.missing = await here.script.missing();
    if (this.figure.isConnected) this.figure.refresh();
  }

  /** The buttons, and the line below them. */
  refresh() {
    const { missing, busy } = this,
      none = missing === null;
    const { all, python } = toFetch(missing, this.everything.checked);
    const more = missing ? missing.everything - missing.model : 0; // rows of rare words
    for (const button of this.buttons) {
      button.textContent = all && !here.model ? WORDS.fetchAndCompute(all) : WORDS.compute;
      button.disabled = Boolean(busy) || (!missing && !this.failed);
    }
    this.own.hidden = none;
    this.everythingLine.hidden = !more || Boolean(busy);
    this.everythingText.textContent = WORDS.everything(more);
    this.stop.hidden = !this.fetching;
    this.progress.hidden = !busy;
    if (busy || this.failed) return;
    const { shown, state } = this.figure,
      said = [];
    if (this.long) said.push(WORDS.long(this.figure.kind.longest));
    if (none) said.push(WORDS.noModel);
    else if (missing) {
      if (all && !here.model) said.push(WORDS.missing(python, all));
      else if (this.wants) said.push(WORDS.wants(this.wants));
      const mine = shown?.text === state.text.trim();
      if (shown && !mine) said.push(WORDS.stale(shown.text));
      if (mine && shown.live?.unknown.length) said.push(WORDS.unknown(shown.live.unknown));
    }
    this.report(said.join(GAP));
  }

  report(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  #typed(key, text) {
    this.failed = false;
    this.figure.typed(key, text);
    this.wants = 0;
    clearTimeout(this.weighing);
    if (!here.model || !text.trim() || sentences.has(text.trim())) return;
    this.weighing = setTimeout(async () => {
      try {
        const { bytes } = await next(() => here.model.wants(text.trim()));
        if (this.figure.state[key] !== text) return;
        this.wants = bytes;
        this.refresh();
      } catch {
        /* said when it is computed */
      }
    }, 400);
  }

  /** Have the model here, fetched if need be. */
  async #load() {
    if (here.model) return;
    this.fetching = true;
    this.refresh();
    const views = this.figure.bringAll();
    try {
      here.model = await here.script.load({
        everything: this.everything.checked,
        signal: this.busy.signal,
        progress: coming(this.bar, (text) => this.report(text)),
      });
      await views;
    } finally {
      this.fetching = false;
    }
  }

  async #compute(key) {
    if (this.busy) return;
    if (!this.missing) {
      await this.#start(); // it did not come; what the model costs is said before it is fetched
      return;
    }
    const { figure } = this,
      { text, other, step } = figure.state;
    const texts = (step === "compare" ? [text, other] : [figure.state[key]]).map((one) =>
      one.trim(),
    );
    if (!figure.state[key].trim()) {
      this.refuse(WORDS.empty);
      return;
    }
    this.busy = new AbortController();
    figure.again();
    this.bar.removeAttribute("value");
    try {
      await this.#load();
      this.refresh();
      this.bar.removeAttribute("value");
      this.report(WORDS.computing);
      const known = figure.data.groups.map(({ word }) => word);
      for (const one of texts) {
        if (!one || sentences.has(one)) continue;
        sentences.set(one, computed(await next(() => here.model.sentence(one)), known));
      }
      this.wants = 0;
    } catch (error) {
      this.fail(error);
    } finally {
      this.busy = undefined;
      if (!this.failed) await this.#count().catch(() => {});
      this.refresh();
      if (figure.isConnected) figure.redraw();
    }
  }

  /** Why there is nothing, as a sentence. */
  why(error) {
    if (error instanceof Lost || globalThis.qkv.lost(error)) return COMING.lost;
    if (!here.script) throw error;
    const { text } = here.script.said(error);
    return /[.。]$/.test(text) ? text : text + WORDS.end;
  }

  /** Say it, and what is still drawn. */
  fail(error) {
    this.refuse(this.why(error));
  }

  refuse(why) {
    const { shown, state } = this.figure;
    const other = shown && shown.text !== state.text.trim();
    this.failed = true;
    this.report(other ? why + GAP + WORDS.still(shown.text) : why);
  }
}
