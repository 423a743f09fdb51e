// What the figures that can be played with share: a custom element that takes the place of the
// still picture inside it, keeps its state in the address and says what it shows.

import { words } from "../language.mjs";

const WORDS = words({
  reset: { zh: "还原", en: "Reset" },
  copyLink: { zh: "复制这个状态的链接", en: "Copy a link to this state" },
  tryAgain: { zh: "再试一次", en: "Try again" },
  lost: { zh: "这张图的数据没有取到。", en: "The data of this figure did not arrive." },
  linkCopied: { zh: "链接已复制", en: "The link is copied" },
  copyRefused: {
    zh: "浏览器不让复制。链接已在地址栏，请从那里复制",
    en: "The browser refused. The link is in the address bar: copy it from there",
  },
  shape: { zh: "形状", en: "shape" },
  separator: { zh: "；", en: "; " },
});

/** @typedef {import("./maths.mjs").Matrix} Matrix */
/** @typedef {(i: number, j: number) => any} OfCell  of the cell in row i and column j */
/**
 * @typedef {object} Filling How a table is filled.
 * @property {any[]} [rows]  their names
 * @property {any[]} [columns]
 * @property {number} [limit]  the value whose cell is the strongest
 * @property {OfCell} [chosen]  whether a cell is framed
 * @property {string[][]} [texts]  what stands in the cells in place of their numbers
 * @property {string} [shape]
 * @property {number} [decimals]
 */
/** @typedef {{ node: HTMLElement, fill(values: Matrix, how?: Filling): void }} Grid */
/**
 * @typedef {object} GridOptions
 * @property {string} title
 * @property {string} [kind]  x, q, k, v, scores, weights or output, as in qkv_docs.heatmap
 * @property {number} [decimals]
 * @property {OfCell} [from]  how a cell came about
 * @property {(x: number) => string} [write]  how its number is read out
 * @property {OfCell} [act]  what Enter, Space or a tap does
 * @property {string} [rowTitle]
 * @property {boolean} [compact]
 */

/** A number as the pages write it: real minus signs, no −0.00. */
export const number = (x, decimals = 2) => {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "∞" : "−∞";
  const text = x.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
};

const put = (node, properties, children) => {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === false || value == null) node.removeAttribute(name);
    else node.setAttribute(name, value === true ? "" : value);
  }
  if (children.length) node.replaceChildren(...children.flat().filter((child) => child != null));
  return node;
};
/**
 * An element: h("button", { class: "x", onclick }, "text", child…).
 * @param {string} tag
 * @param {Record<string, any>} properties  attributes, and what is to be called on an event
 * @param {...any} children
 * @returns {any}
 */
export const h = (tag, properties = {}, ...children) =>
  put(document.createElement(tag), properties, children);
/**
 * The same for SVG.
 * @param {string} tag
 * @param {Record<string, any>} properties
 * @param {...any} children
 * @returns {any}
 */
export const svg = (tag, properties = {}, ...children) =>
  put(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);

/**
 * Text in which W_Q and d_k have their index low, as theme/finish/indices.py writes it.
 * @param {any} text
 * @returns {(string | Element)[]}
 */
export const typeset = (text) =>
  String(text)
    .replace(/(\d) (?=(?:[KMG]i?B|ms)\b)/g, "$1\u00a0") // no number without its unit
    .split(/\b([A-Za-z]_(?!(?:attn|proj)\b)[A-Za-z]+)\b/)
    .flatMap((part, i) =>
      i % 2 ? [part[0], h("sub", { class: "index" }, h("span", {}, "_"), part.slice(2))] : part,
    );

/** What should have come over the network did not. */
export class Lost extends Error {}

/**
 * JSON, or a text. Lost where it does not come, or something else comes (a portal's page, say).
 * @param {string | URL} address
 * @param {"json" | "text"} kind
 */
export const fetched = async (address, kind = "json") => {
  try {
    const answer = await fetch(address);
    const html = answer.headers.get("Content-Type")?.startsWith("text/html");
    if (!answer.ok || html) throw new Error(`${answer.status}`);
    return await answer[kind]();
  } catch (error) {
    throw new Lost(`${address}: ${error.message}`);
  }
};

// Adopted, not linked: instant navigation takes away a link that the next page does not have.
let styles;
const dress = () =>
  (styles ??= fetched(new URL("../../stylesheets/figures.css", import.meta.url), "text")
    .then((text) => new CSSStyleSheet().replace(text))
    .then((sheet) => document.adoptedStyleSheets.push(sheet))
    .catch((error) => {
      styles = null;
      throw error;
    }));

/** What stays in sight while its effects further down are looked at. */
export const desk = (...controls) => h("div", { class: "play__desk" }, controls);

export class Figure extends HTMLElement {
  /**
   * What the build handed over (`data-given`) and the file it named (`data-src`), together.
   * @type {any}
   */
  data;
  /** @type {any} */
  state = null;
  /** @type {(() => void)[]} */
  controls = [];

  /** The state at first. Numbers, strings and arrays of numbers are kept in the address. */
  /** @type {any} */
  static initial = {};
  /** The same for this one element, where it depends on the data or the page's language. */
  get initial() {
    return this.kind.initial;
  }
  /** What of an earlier visit is taken up, beside what an address gives. */
  takenUp(_given) {
    return {};
  }
  /** What stands in the address even where it is as at first. */
  static always = /** @type {string[]} */ ([]);
  get kind() {
    return /** @type {typeof Figure} */ (this.constructor);
  }
  /**
   * Whether a state (one from an address, say) can be drawn.
   * @type {(state: any, data: any) => boolean}
   */
  static valid = () => true;
  /**
   * Make the parts of the figure, once.
   * @returns {Node[]}
   */
  build() {
    return [];
  }
  /** What the first picture needs besides: the still one stays meanwhile. */
  async prepare() {}
  /** Bring the parts up to `this.state`; returns the sentence that says what is to be seen. */
  draw() {
    return "";
  }

  get name() {
    return this.closest("figure")?.id.replace("figure-", "") ?? this.localName;
  }

  async connectedCallback() {
    if (this.state) return;
    this.state = {}; // taken, while the data come
    try {
      await dress();
      const { given = "{}", src } = this.dataset;
      this.data = { ...JSON.parse(given), ...(src && (await fetched(src))) };
    } catch (error) {
      this.state = null;
      if (!(error instanceof Lost)) throw error;
      this.#askAgain(); // the still picture stays
      return;
    }
    if (this.#gone()) return;
    this.state = this.#stateOf(this.#fromAddress()) ?? { ...this.initial };
    this.reading = h("p", { class: "play__read", role: "status" });
    const bar = h(
      "p",
      { class: "play__bar" },
      h("button", { type: "button", onclick: () => this.set(this.initial, true) }, WORDS.reset),
      h("button", { type: "button", onclick: () => this.#share() }, WORDS.copyLink),
    );
    const parts = this.build();
    await this.prepare();
    if (this.#gone()) return;
    this.live = h(
      "div",
      {
        class: "play",
        role: "group",
        "aria-label": this.querySelector("svg")?.getAttribute("aria-label"),
      },
      ...parts,
      this.reading,
      bar,
    );
    delete this.dataset.lost;
    // The sentence may lie over the picture only while both change: not before it is touched.
    for (const event of ["pointerdown", "focusin"])
      this.live.addEventListener(event, () => (this.live.dataset.used = ""), { once: true });
    const picture = [...this.childNodes];
    this.replaceChildren(this.live, h("div", { class: "play__still" }, picture));
    try {
      this.redraw();
      this.reading.replaceChildren(...typeset(this.summary)); // with the rest, or it would push down what is below
      const tall = this.reading.offsetHeight > innerHeight / 7; // it would hide what it speaks of
      this.reading.toggleAttribute("data-tall", tall);
    } catch (error) {
      this.dataset.lost = "";
      this.replaceChildren(...picture); // rather the still picture than half a figure
      throw error;
    }
    this.onaddress = () => {
      const given = this.#fromAddress(),
        state = given && this.#stateOf(given);
      if (!state) return;
      this.state = state;
      this.redraw();
    };
    addEventListener("hashchange", this.onaddress);
    this.dataset.ready = ""; // for tests
  }

  #gone() {
    if (!this.isConnected) this.state = null;
    return !this.isConnected;
  }

  #askAgain() {
    const again = h("button", { type: "button" }, WORDS.tryAgain);
    const why = WORDS.lost;
    const bar = h("p", { class: "play__bar" }, again, h("span", { role: "status" }, why));
    this.dataset.lost = "";
    again.addEventListener("click", () => {
      bar.remove();
      this.connectedCallback();
    });
    this.append(bar);
  }

  disconnectedCallback() {
    removeEventListener("hashchange", this.onaddress);
  }

  #valid(state) {
    try {
      return this.kind.valid(state, this.data);
    } catch {
      return false;
    }
  }

  /** The whole state, where an address gives a part of it or nothing; null if it cannot be drawn. */
  #stateOf(given) {
    const states = [{ ...this.takenUp(given ?? {}), ...given }, { ...given }];
    return (
      states.map((one) => ({ ...this.initial, ...one })).find((one) => this.#valid(one)) ?? null
    );
  }

  #fromAddress() {
    const given = new URLSearchParams(location.hash.slice(1)),
      state = {};
    if (given.get("figure") !== this.name) return null;
    for (const [name, before] of Object.entries(this.initial)) {
      const text = given.get(name);
      if (text === null) continue;
      const value =
        typeof before === "number"
          ? Number(text)
          : Array.isArray(before)
            ? text.split(",").map(Number)
            : text;
      if ([value].flat().some(Number.isNaN)) return null;
      state[name] = value;
    }
    return state;
  }

  get address() {
    const given = new URLSearchParams({ figure: this.name });
    for (const [name, before] of Object.entries(this.initial)) {
      if (String(this.state[name]) !== String(before) || this.kind.always.includes(name))
        given.set(name, this.state[name]);
    }
    return `#${String(given).replaceAll("%2C", ",")}`;
  }

  /** Change the state, draw, and put it in the address. */
  set(change, quiet = false) {
    const state = { ...this.state, ...change };
    if (!this.#valid(state)) return;
    this.state = state;
    this.redraw();
    clearTimeout(this.writing); // browsers allow no more than a hundred changes in half a minute
    this.writing = setTimeout(() => {
      if (this.isConnected)
        history.replaceState(history.state, "", quiet ? location.pathname : this.address);
    }, 400);
  }

  redraw() {
    this.summary = this.draw();
    for (const refresh of this.controls) refresh();
    this.tell(this.summary);
  }

  /** Show (and have read out) what a cell holds; nothing to go back to the summary. */
  tell(text = this.summary) {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      if (this.reading.textContent !== text) this.reading.replaceChildren(...typeset(text));
    }, 80);
  }

  async #share() {
    history.replaceState(history.state, "", this.address);
    try {
      await navigator.clipboard.writeText(location.href);
      this.tell(WORDS.linkCopied);
    } catch {
      this.tell(WORDS.copyRefused);
    }
  }

  #control(refresh) {
    this.controls.push(refresh);
  }

  /**
   * A slider for `this.state[key]`; `show` writes its value.
   * @param {string} key
   * @param {{ label: string, min: number, max: number, step?: number, show?: Function }} options
   */
  slider(key, { label, min, max, step = 1, show = String }) {
    const out = h("output", {});
    const input = h("input", {
      type: "range",
      min,
      max,
      step,
      oninput: () => this.set({ [key]: Number(input.value) }),
    });
    this.#control(() => {
      input.value = this.state[key];
      out.textContent = show(this.state[key]);
      input.setAttribute("aria-valuetext", out.textContent);
    });
    return h("label", { class: "play__slider" }, h("span", {}, typeset(label)), input, out);
  }

  /** One of a few: `options` is a list of [value, text]. */
  choice(key, { label, options }) {
    return this.pick(key, {
      label,
      options: () => options,
      chosen: () => this.state[key],
      act: (value) => this.set({ [key]: value }),
    });
  }

  /**
   * One of a few that depend on the state: `chosen()` is the value of one or of none, `act(value)`
   * takes it.
   */
  pick(name, { label, options, chosen, act }) {
    const box = h("fieldset", { class: "play__choice" }),
      legend = h("legend", {}, typeset(label));
    let made, inputs;
    this.#control(() => {
      const list = options(),
        now = chosen();
      if (made !== String(list)) {
        made = String(list);
        inputs = list.map(([value]) =>
          h("input", {
            type: "radio",
            name: `${this.name}-${name}`,
            value,
            onchange: () => act(value),
          }),
        );
        box.replaceChildren(
          legend,
          ...inputs.map((input, i) => h("label", {}, input, h("span", {}, typeset(list[i][1])))),
        );
      }
      inputs.forEach((input, i) => {
        input.checked = list[i][0] === now;
      });
    });
    return box;
  }

  /** One of many: a menu. */
  menu(key, { label, options }) {
    const input = h(
      "select",
      { onchange: () => this.set({ [key]: options[input.selectedIndex][0] }) },
      options.map(([value, text]) => h("option", { value }, text)),
    );
    this.#control(() => {
      input.selectedIndex = options.findIndex(([value]) => value === this.state[key]);
    });
    return h("label", { class: "play__menu" }, h("span", {}, label), input);
  }

  /** A switch: 0 or 1. */
  toggle(key, { label }) {
    const input = h("input", {
      type: "checkbox",
      onchange: () => this.set({ [key]: Number(input.checked) }),
    });
    this.#control(() => {
      input.checked = Boolean(this.state[key]);
    });
    return h("label", { class: "play__toggle" }, input, h("span", {}, label));
  }

  /**
   * A line of text; what cannot be drawn is not taken, and `hint(text)` may say why.
   * @param {string} key
   * @param {{ label: string, length?: number, hint?: (text: string) => string }} options
   */
  field(key, { label, length = 40, hint = () => "" }) {
    const input = h("input", {
      type: "text",
      maxlength: length,
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => {
        const why = this.#valid({ ...this.state, [key]: input.value }) ? "" : hint(input.value);
        input.setAttribute("aria-invalid", String(Boolean(why)));
        if (why) this.tell(why);
        else this.set({ [key]: input.value });
      },
    });
    this.#control(() => {
      if (input !== document.activeElement) {
        input.value = this.state[key];
        input.removeAttribute("aria-invalid");
      }
    });
    return h("label", { class: "play__field" }, h("span", {}, label), input);
  }

  /**
   * A matrix as a table whose cells tell what they are: one stop of the Tab key, arrows inside.
   * @param {GridOptions} options
   * @returns {Grid}
   */
  grid({
    title,
    kind = "weights",
    decimals = 2,
    from,
    write = (x) => number(x, Math.max(decimals, 3)),
    act,
    rowTitle = "",
    compact = false,
  }) {
    const table = h("table", {
      class: `play__grid${compact ? " play__grid--compact" : ""}`,
      role: "grid",
      "data-kind": kind,
    });
    const head = h("caption", {});
    let held,
      at = [0, 0];
    const told = (i, j) => {
      const { values, rows, columns, shape } = held;
      const place = `${rows[i]}${columns ? ` → ${columns[j]}` : `, ${j}`}`;
      const cell = `${title}[${place}] = ${write(values[i][j])}`;
      return [cell, `${WORDS.shape} ${shape}`, ...(from ? [from(i, j)] : [])].join(WORDS.separator);
    };
    const cell = (event) => {
      const found = event.target.closest("tbody td");
      return found && [found.parentNode.rowIndex - (table.tHead ? 1 : 0), found.cellIndex - 1];
    };
    const rove = (i, j, focus) => {
      table.querySelector('td[tabindex="0"]')?.setAttribute("tabindex", "-1");
      at = [
        Math.max(0, Math.min(i, held.values.length - 1)),
        Math.max(0, Math.min(j, held.values[0].length - 1)),
      ];
      const to = table.tBodies[0].rows[at[0]].cells[at[1] + 1];
      to.setAttribute("tabindex", "0");
      if (focus) to.focus();
    };
    put(
      table,
      {
        onpointerover: (event) => {
          const place = cell(event);
          if (place) this.tell(told(...place));
        },
        onpointerleave: () => {
          if (!table.contains(document.activeElement)) this.tell();
        },
        onfocusin: (event) => {
          const place = cell(event);
          if (place) {
            rove(...place);
            this.tell(told(...place));
          }
        },
        onfocusout: () => this.tell(),
        onclick: (event) => {
          const place = cell(event);
          if (place) {
            const [i, j] = place;
            rove(i, j, true);
            act?.(i, j);
          }
        },
        onkeydown: (event) => {
          const place = cell(event);
          if (!place || event.ctrlKey || event.metaKey || event.altKey) return;
          const [i, j] = place,
            { values } = held;
          const move = {
            ArrowUp: [i - 1, j],
            ArrowDown: [i + 1, j],
            ArrowLeft: [i, j - 1],
            ArrowRight: [i, j + 1],
            Home: [i, 0],
            End: [i, values[0].length - 1],
          }[event.key];
          if (move) rove(...move, true);
          else if (act && [" ", "Enter"].includes(event.key)) act(i, j);
          else return;
          event.preventDefault();
          event.stopPropagation(); // the theme turns pages by some keys
        },
      },
      [],
    );
    /** @type {Grid["fill"]} */
    const fill = (
      values,
      {
        rows,
        columns,
        limit,
        chosen,
        texts,
        shape = `(${values.length}, ${values[0].length})`,
      } = {},
    ) => {
      const before = held;
      held = { values, rows: rows ?? values.map((_, i) => i), columns, shape };
      const largest =
        limit ??
        (kind === "weights"
          ? 1
          : Math.max(...values.flat().map(Math.abs).filter(Number.isFinite), 1e-12));
      head.replaceChildren(h("b", {}, typeset(title)), ` ${shape}`);
      if (!before || before.shape !== shape) {
        const body = h(
          "tbody",
          {},
          values.map((row) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }),
              row.map(() => h("td", { tabindex: "-1" })),
            ),
          ),
        );
        table.replaceChildren(
          head,
          ...(columns
            ? [
                h(
                  "thead",
                  {},
                  h(
                    "tr",
                    {},
                    h("td", {}, rowTitle),
                    columns.map(() => h("th", { scope: "col" })),
                  ),
                ),
              ]
            : []),
          body,
        );
        rove(...at);
      }
      // The columns are as wide as the longest name needs, where they all fit beside each other.
      const names = [...(columns ?? []), ...(texts ?? []).flat()];
      const letters = Math.max(
        0,
        ...names.map((name) => String(name).replaceAll(/[^\0-\xff]/g, "aa").length),
      );
      table.style.setProperty("--letters", String(letters));
      table.style.setProperty("--columns", String(values[0].length));
      columns?.forEach((name, j) => {
        table.tHead.rows[0].cells[j + 1].textContent = name;
      });
      values.forEach((row, i) => {
        const { cells } = table.tBodies[0].rows[i];
        cells[0].textContent = held.rows[i];
        row.forEach((value, j) => {
          const strength = Number.isFinite(value) ? Math.min(1, Math.abs(value) / largest) : 0;
          cells[j + 1].textContent = texts?.[i][j] ?? number(value, decimals);
          cells[j + 1].style.setProperty("--strength", `${(5 + 40 * strength).toFixed(1)}%`);
          cells[j + 1].toggleAttribute(
            "data-negative",
            value < 0 || (!value && kind !== "weights"),
          );
          cells[j + 1].toggleAttribute("data-chosen", Boolean(chosen?.(i, j)));
        });
      });
      if (table.contains(document.activeElement)) {
        const place = cell({ target: document.activeElement });
        if (place) queueMicrotask(() => this.tell(told(...place))); // the summary must not hide it
      }
    };
    return { node: h("div", { class: "play__scroll" }, table), fill };
  }
}
