// What the figures that are walked through share: steps with a way back and on, cells that show
// what they are made of, matrices the reader changes, and a sentence of known words.
import { language, words } from "../language.mjs";
import { Figure, h, number } from "./core.mjs";
import { cut } from "./words.mjs";

const WORDS = words({
  quote: { zh: (word) => `“${word}”`, en: (word) => `“${word}”` },
  separator: { zh: "、", en: ", " },
  unknown: {
    zh: (unknown) => `词表里没有${unknown.map(quote).join("")}。按“词表”看能用哪些。`,
    en: (unknown) =>
      `Not in the word list: ${unknown.map(quote).join(", ")}. The button “words” ` +
      "shows what is.",
  },
  tooMany: {
    zh: (words) => `最多 ${MOST} 个词，这里有 ${words.length} 个。`,
    en: (words) => `At most ${MOST} words; these are ${words.length}.`,
  },
  tooFew: { zh: () => `写 1 到 ${MOST} 个词。`, en: () => `Write 1 to ${MOST} words.` },
  words: { zh: "词表", en: "words" },
  sentence: { zh: "句子", en: "sentence" },
  back: { zh: "← 上一步", en: "← back" },
  next: { zh: "下一步 →", en: "next →" },
  step: { zh: "步骤", en: "step" },
  minus: { zh: "减 1", en: "minus 1" },
  plus: { zh: "加 1", en: "plus 1" },
});

/** A whole number as it is, another to the decimals. */
export const short = (x, decimals = 3) => number(x, Number.isInteger(x) ? 0 : decimals);
export const vector = (row, decimals) =>
  row.length > 1 ? `(${row.map((x) => short(x, decimals)).join(", ")})` : short(row[0], decimals);
/** 0·1 + 2·2 */
export const products = (a, b, decimals) =>
  a.map((x, i) => `${short(x, decimals)}·${short(b[i], decimals)}`).join(" + ");
export const quote = (word) => WORDS.quote(word);
export const list = (items) => items.join(WORDS.separator);
export const rows = (flat, width) =>
  Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width));
export const numbers = (flat, size) =>
  flat.length === size && flat.every((x) => Number.isFinite(x) && Math.abs(x) <= 99);
const MOST = 6; // words: as many columns as a phone shows

export class Steps extends Figure {
  /** The words of the sentence. @type {string[]} */
  sequence;
  /** Grids that the reader changes. @type {any[]} */
  parameters = [];

  /** Which of them is chosen. */
  get row() {
    return this.state.row;
  }

  /** Whether a sentence can be drawn. */
  static readable(text, vocabulary) {
    const { words, unknown } = cut(text, vocabulary);
    return !unknown.length && words.length > 0 && words.length <= MOST;
  }

  /** A line to type in and, below it, the words that it may hold: a tap appends one. */
  sentence(vocabulary) {
    const why = (text) => {
      const { words, unknown } = cut(text, vocabulary);
      if (unknown.length) return WORDS.unknown(unknown);
      if (words.length > MOST) return WORDS.tooMany(words);
      return WORDS.tooFew();
    };
    const append = (word) => {
      const before = this.state.text;
      const together = language === "zh" && !/[\w?]$/.test(before);
      const text = `${before}${together ? "" : " "}${word}`;
      if (Steps.readable(text, vocabulary)) this.set({ text });
      else this.tell(why(text));
    };
    const all = h(
      "p",
      { class: "play__words", hidden: true },
      vocabulary.map((word) => h("button", { type: "button", onclick: () => append(word) }, word)),
    );
    const open = h(
      "button",
      {
        type: "button",
        "aria-expanded": "false",
        onclick: () => {
          all.hidden = !all.hidden;
          open.setAttribute("aria-expanded", String(!all.hidden));
        },
      },
      WORDS.words,
    );
    return [
      h(
        "div",
        { class: "play__typed" },
        this.field("text", { label: WORDS.sentence, hint: why }),
        open,
      ),
      all,
    ];
  }

  /** One of the words of the sentence: `this.sequence`, of which `this.row` is chosen. */
  chooser(label) {
    return this.pick("row", {
      label,
      options: () => this.sequence.map((word, i) => [i, word]),
      chosen: () => this.row,
      act: (row) => this.set({ row }),
    });
  }

  /** Names of the steps; `stages[i]` are the lines of step i: nodes, and signs between them. */
  walk(names, stages) {
    this.stages = stages;
    const go = (by) =>
      this.set({ step: Math.max(0, Math.min(names.length - 1, this.state.step + by)) });
    this.back = h("button", { type: "button", onclick: () => go(-1) }, WORDS.back);
    this.on = h("button", { type: "button", onclick: () => go(1) }, WORDS.next);
    this.stage = h("div", { class: "play__stage" });
    return [
      h(
        "div",
        { class: "play__walk" },
        this.choice("step", {
          label: WORDS.step,
          options: names.map((name, i) => [i, name]),
        }),
        h("p", { class: "play__bar" }, this.back, this.on),
      ),
      this.stage,
    ];
  }

  /** Grids and the signs between them, beside each other; a sign goes with the grid after it. */
  line(parts) {
    const row = h("div", { class: "play__row" });
    let signs = [];
    for (const part of parts) {
      if (typeof part === "string") {
        signs.push(h("span", { class: "play__sign", "aria-hidden": "true" }, part));
        continue;
      }
      const node = part.node ?? part;
      row.append(signs.length ? h("div", { class: "play__signed" }, signs, node) : node);
      signs = [];
    }
    row.append(...signs);
    return row;
  }

  /**
   * A grid that marks, when a cell is read, the cells `of(i, j)` it is made of: [grid, row,
   * column], null for all.
   * @param {import("./core.mjs").GridOptions} options
   * @param {import("./core.mjs").OfCell} [of]
   * @returns {import("./core.mjs").Grid}
   */
  table(options, of) {
    const { node, fill } = this.grid({ write: short, ...options }),
      table = node.querySelector("table");
    const mark = (event) => {
      for (const cell of this.live.querySelectorAll("[data-part]"))
        cell.removeAttribute("data-part");
      const cell = event.target.closest("tbody td");
      if (!cell || !["pointerover", "focusin"].includes(event.type)) return;
      for (const [other, row, column] of of?.(
        cell.parentNode.sectionRowIndex,
        cell.cellIndex - 1,
      ) ?? []) {
        [...other.node.querySelectorAll("tbody tr")].forEach((line, i) => {
          if (row !== null && row !== i) return;
          [...line.querySelectorAll("td")].forEach((part, j) =>
            part.toggleAttribute("data-part", column === null || column === j),
          );
        });
      }
    };
    for (const type of ["pointerover", "pointerleave", "focusin", "focusout"])
      table.addEventListener(type, mark);
    const written = (values, { decimals = 3, ...more } = {}) => {
      const whole = values.flat().every(Number.isInteger);
      fill(values, {
        ...more,
        texts: values.map((row) => row.map((x) => number(x, whole ? 0 : decimals))),
      });
    };
    return { node, fill: written };
  }

  /**
   * A grid over `this.state[key]`, a flat list, whose cells the reader changes: tap, Enter, + and
   * −, or a digit. `get()` has other numbers to show for it, which `put(x, at)` turns back.
   * @param {string} key
   * @param {import("./core.mjs").GridOptions & {
   *   width: number, rows: string[], columns: string[],
   *   get?: () => number[], put?: (x: number, at: number) => number,
   * }} options
   * @param {import("./core.mjs").OfCell} [of]
   */
  parameter(
    key,
    { width, rows: side, columns, get = () => this.state[key], put = (x) => x, ...options },
    of,
  ) {
    const hold = (i, j) => {
      const at = i * width + j;
      this.hand = {
        name: `${options.title}[${side[i]}, ${columns[j]}]`,
        get: () => get()[at],
        put: (x) =>
          this.set({
            [key]: this.state[key].map((old, other) => (other === at ? put(x, at) : old)),
          }),
        cell: () => made.node.querySelectorAll("tbody td")[at],
      };
    };
    const take = (i, j, open) => {
      hold(i, j);
      this.redraw();
      if (open) {
        this.input.focus();
        this.input.select();
      }
    };
    const made = this.table({ ...options, act: (i, j) => take(i, j) }, of),
      table = made.node.querySelector("table");
    table.addEventListener("keydown", (event) => {
      const cell = event.target.closest("tbody td");
      if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
      const by = { "+": 1, "=": 1, "-": -1, "−": -1 }[event.key];
      if (!by && !/^[\d.]$/.test(event.key) && event.key !== "Enter") return;
      take(cell.parentNode.sectionRowIndex, cell.cellIndex - 1, !by);
      if (by) this.nudge(by);
      if (by || event.key === "Enter") event.preventDefault();
      event.stopPropagation();
    });
    const parameter = {
      node: made.node,
      hold,
      mark: () =>
        table
          .querySelectorAll("tbody td")
          .forEach((cell) => cell.toggleAttribute("data-hand", this.hand?.cell() === cell)),
      fill: (more) => {
        made.fill(rows(get(), width), { rows: side, columns, ...more });
        parameter.mark();
      },
    };
    this.parameters.push(parameter);
    return parameter;
  }

  /** The value of the cell in hand, with + and − for a thumb. */
  editor(again) {
    this.label = h("span", {});
    this.input = h("input", {
      type: "number",
      step: "any",
      min: -99,
      max: 99,
      oninput: () => {
        if (this.input.value !== "") this.hand.put(Number(this.input.value));
      },
      onkeydown: (event) => {
        if (["Enter", "Escape"].includes(event.key)) {
          event.preventDefault();
          this.hand.cell().focus();
        }
      },
      onblur: () => this.redraw(),
    });
    const button = (by, label, sign) =>
      h("button", { type: "button", "aria-label": label, onclick: () => this.nudge(by) }, sign);
    this.editing = h(
      "p",
      { class: "play__edit" },
      h("label", {}, this.label, this.input),
      button(-1, WORDS.minus, "−"),
      button(1, WORDS.plus, "+"),
      again,
    );
    return this.editing;
  }
  nudge(by) {
    this.hand.put(Math.round((this.hand.get() + by) * 1e6) / 1e6);
  }

  /** To be called last by draw(). */
  show() {
    const { step } = this.state;
    if (this.stages) {
      if (this.shown !== step) {
        this.shown = step;
        this.stage.replaceChildren(...this.stages[step].map((line) => this.line(line)));
      }
      this.back.setAttribute("aria-disabled", step === 0);
      this.on.setAttribute("aria-disabled", step === this.stages.length - 1);
    }
    if (!this.stage.contains(this.hand?.cell())) {
      this.hand = null;
      this.parameters.find(({ node }) => this.stage.contains(node))?.hold(0, 0);
      for (const parameter of this.parameters) parameter.mark();
    }
    this.editing.hidden = !this.hand;
    if (this.hand) {
      this.label.textContent = `${this.hand.name} =`;
      if (this.input !== document.activeElement)
        this.input.value = Math.round(this.hand.get() * 1e6) / 1e6;
    }
  }
}
