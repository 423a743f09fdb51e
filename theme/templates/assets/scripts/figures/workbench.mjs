// variants: a rule of one's own in an editor, beside the matrix that it makes. The rules to start
// from were computed in the build; what the reader writes is computed by the page's Python.
import { decode, encode } from "../edits.mjs";
import { words } from "../language.mjs";
import { Figure, h, number } from "./core.mjs";
import { argmax, softmax } from "./maths.mjs";

const WORDS = words({
  mask: { zh: "掩码", en: "mask" },
  alone: { zh: "单独用", en: "alone" },
  join: { zh: "与另一条", en: "and a second" },
  other: { zh: "另一条", en: "second mask" },
  score: { zh: "分数", en: "score" },
  unchanged: { zh: "不改", en: "unchanged" },
  n: { zh: "词元数", en: "tokens" },
  show: { zh: "显示", en: "show" },
  scores: { zh: "分数", en: "scores" },
  weights: { zh: "注意力权重", en: "attention weights" },
  editor: {
    zh: "规则的代码：定义 mask_mod 或 score_mod。Ctrl+Enter 运行。",
    en: "The code of the rule: define mask_mod or score_mod. Ctrl+Enter runs it.",
  },
  run: { zh: "运行", en: "Run" },
  stop: { zh: "停止", en: "Stop" },
  back: { zh: "换回我写的", en: "Back to my code" },
  running: { zh: "正在运行…", en: "Running…" },
  output: { zh: "打印的内容", en: "What was printed" },
  label: { zh: "<工作台>", en: "<workbench>" },
  done: { zh: "由 Python 算出。", en: "Computed by Python." },
  failed: {
    zh: (reason, line) => `出错${line ? `（第 ${line} 行）` : ""}：${reason}`,
    en: (reason, line) => `An error${line ? ` in line ${line}` : ""}. ${reason}`,
  },
  lost: {
    zh: "运行代码的脚本没有取到。检查网络后再按一次。",
    en: "The script that runs code did not arrive. Check the connection and press again.",
  },
  sent: {
    zh: "这段代码来自链接，运行前请先读一遍。",
    en: "This code came with the link: read it before you run it.",
  },
  stale: {
    zh: "代码改过，矩阵还是改之前的：按“运行”重新计算。",
    en: "The code was changed; the matrix is from before. Run computes it anew.",
  },
  query: { zh: (i) => `查询 ${i}`, en: (i) => `query ${i}` },
  key: { zh: (j) => `键 ${j}`, en: (j) => `key ${j}` },
  sees: {
    zh: (i, keys) =>
      keys.length ? `查询 ${i} 看得到键 ${keys.join("、")}` : `查询 ${i} 什么也看不到`,
    en: (i, keys) =>
      keys.length
        ? `query ${i} may see ${keys.length > 1 ? "keys" : "key"} ${keys.join(", ")}`
        : `query ${i} may see nothing`,
  },
  summary: {
    zh: (count, all, seen) => `${all} 格中有 ${count} 格可以看；${seen}。`,
    en: (count, all, seen) => `${count} of ${all} cells may be looked at; ${seen}.`,
  },
  blind: {
    zh: (rows) => `查询 ${rows.join("、")} 什么也看不到，注意力权重是 0。`,
    en: (rows) =>
      ` ${rows.length > 1 ? "Queries" : "Query"} ${rows.join(", ")} may see nothing: ` +
      "attention weights of 0.",
  },
  most: {
    zh: (i, j, weight) => `查询 ${i} 给键 ${j} 最多：${weight}。`,
    en: (i, j, weight) => ` Query ${i} gives most to key ${j}: ${weight}.`,
  },
});

const MOST = 12; // tokens, as many as the build computed
const LONGEST = 2000; // characters of code, which also stand in the address
const PRINTED = 4000;
const SHOWN = ["mask", "scores", "weights"];

const style = new CSSStyleSheet();
style.replaceSync(`
  .workbench { display: grid; gap: 0 1.4rem; grid-template-columns: minmax(0, 1fr); }
  .workbench__menus { display: flex; flex-wrap: wrap; gap: 0 .9rem; }
  .workbench textarea { background: var(--ground-soft); border: 1px solid var(--qkv-line); border-radius: 6px; color: var(--code); display: block; font: .68rem/1.55 var(--md-code-font), monospace; margin: .3rem 0; padding: .5rem .6rem; resize: vertical; tab-size: 4; white-space: pre; width: 100%; }
  .workbench textarea:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
  .play .workbench__run { background: var(--accent); border-color: var(--accent); color: var(--ground); }
  .play .workbench__run:is(:hover, :focus-visible) { background: var(--ground); color: var(--accent); }
  .workbench__out { border: 1px solid var(--edge); border-radius: 6px; color: var(--code); font: .66rem/1.5 var(--md-code-font), monospace; margin: .4rem 0 0; max-height: 10rem; overflow: auto; padding: .4rem .6rem; white-space: pre; }
  .workbench [data-bad] { color: var(--qkv-k); }
  .workbench__shown[data-stale] { filter: grayscale(1); outline: 1px dashed var(--qkv-line); outline-offset: 3px; }
  .play .workbench__shown .play__grid tbody td { min-width: min(1.75rem, 8vw); }
  .play .workbench__shown[data-many] .play__grid tbody td { font-size: .6rem; height: 1.3rem; min-width: min(1.5rem, 6.4vw); padding: 0 .05rem; }
  .play .workbench__shown[data-many] .workbench__mask .play__grid tbody td { min-width: min(1.5rem, 5.4vw); }
  @media (max-width: 44.9375em) { .workbench textarea { font-size: 16px; } }
  @media (min-width: 45em) { .workbench { grid-template-columns: minmax(0, 1fr) auto; } .workbench__menus { grid-column: 1 / -1; } }
`);
document.adoptedStyleSheets.push(style);

const nameOf = (code) => /^def (\w+)/m.exec(code)[1];

/** The program that the menus stand for. */
export function program({ mask, join, other, score }, { masks, scores }) {
  const names = join === "alone" ? [mask] : [...new Set([mask, other])];
  const parts = names.map((name) => masks[name].code);
  const [first, second] = [mask, other].map((name) => nameOf(masks[name].code));
  const joined = { "&": `and_masks(${first}, ${second})`, "|": `or_masks(${first}, ${second})` };
  const last = [`mask_mod = ${joined[join] ?? first}`];
  if (score !== "none") {
    parts.push(scores[score].code);
    last.push(`score_mod = ${nameOf(scores[score].code)}`);
  }
  return [...parts, `${last.join("\n")}\n`].join("\n");
}

/** What they come to for n tokens: cut out of what the build computed for twelve. */
export function composed({ mask, join, other, score, n }, { masks, scores, raw }) {
  const rows = Array.from({ length: n }, (_, i) => i);
  const bit = (name, i, j) => masks[name].bits[i * MOST + j] === "1";
  const allowed = rows.map((i) =>
    rows.map((j) => {
      if (join === "&") return bit(mask, i, j) && bit(other, i, j);
      return bit(mask, i, j) || (join === "|" && bit(other, i, j));
    }),
  );
  const table = score === "none" ? raw : scores[score].table;
  const after = rows.map((i) => rows.map((j) => table[i][j]));
  const weights = after.map((row, i) =>
    allowed[i].some(Boolean)
      ? softmax(row.map((x, j) => (allowed[i][j] ? x : -Infinity)))
      : row.map(() => 0),
  );
  return { mask: allowed, scores: after, weights };
}

/**
 * The reader's program and, after it, what asks it and tells what it answered: numbers as texts,
 * for JSON has no infinity.
 */
export const asked = (code, raw, n) => `${code}
def _workbench(names):
    import json, sys
    import numpy as np
    from qkv_docs import apply_score_mod, create_mask, flex_attention
    mask_mod, score_mod = names.get("mask_mod"), names.get("score_mod")
    if mask_mod is None and score_mod is None:
        raise NameError("define mask_mod(q_index, k_index) or score_mod(score, q_index, k_index)")
    raw, n = np.array(${JSON.stringify(raw)})[:${n}, :${n}], ${n}
    mask = np.ones((n, n), bool) if mask_mod is None else create_mask(mask_mod, n)
    scores = raw if score_mod is None else apply_score_mod(raw, score_mod)
    _, weights = flex_attention(raw, np.eye(n), np.eye(n), score_mod, mask_mod, scale=1)
    mask &= ~np.isneginf(scores)
    texts = [[[f"{x:.9g}" for x in row] for row in table] for table in (mask, scores, weights)]
    sys.displayhook.__self__.tell("snapshot", json.dumps(dict(zip(("mask", "scores", "weights"), texts))))
_workbench(globals())
`;

const NUMBERS = { inf: Infinity, "-inf": -Infinity, nan: NaN };

/** What Python told, if it is three tables of n times n. */
export function answered(text, n) {
  const square = (table) =>
    Array.isArray(table) &&
    table.length === n &&
    table.every(
      (row) =>
        Array.isArray(row) && row.length === n && row.every((one) => typeof one === "string"),
    );
  let told;
  try {
    told = JSON.parse(text);
  } catch {
    return null;
  }
  if (!SHOWN.every((name) => square(told?.[name]))) return null;
  const read = (one) => NUMBERS[one] ?? Number(one);
  const [mask, scores, weights] = SHOWN.map((name) => told[name].map((row) => row.map(read)));
  return { mask: mask.map((row) => row.map(Boolean)), scores, weights };
}

/**
 * What stands before a traceback, its last line, and the last of the reader's lines that it names.
 * @returns {[string, string, number | undefined]}
 */
export function wrong(printed, code) {
  const lines = printed.trimEnd().split("\n");
  const at = lines.findLastIndex((line) => /^Traceback |^ {2}File "/.test(line));
  const from = lines.slice(0, at + 1).findLastIndex((line) => line.startsWith("Traceback "));
  const count = code.trimEnd().split("\n").length;
  const named = lines.slice(Math.max(from, 0)).flatMap((line) => {
    const [, file, place] = /^ {2}File "(.*)", line (\d+)/.exec(line) ?? [];
    return file === WORDS.label && Number(place) <= count ? [Number(place)] : [];
  });
  const start = from < 0 ? at : from;
  return [lines.slice(0, Math.max(start, 0)).join("\n"), lines.at(-1) ?? "", named.at(-1)];
}

class Workbench extends Figure {
  static initial = {
    mask: "causal",
    join: "alone",
    other: "window",
    score: "none",
    n: 8,
    show: "mask",
    code: "",
  };
  static valid = ({ mask, join, other, score, n, show, code }, data) => {
    const length = code && (decode(code) ?? "").length;
    return (
      [mask, other].every((name) => Object.hasOwn(data.masks, name)) &&
      ["alone", "&", "|"].includes(join) &&
      (score === "none" || Object.hasOwn(data.scores, score)) &&
      Number.isInteger(n) &&
      n >= 2 &&
      n <= MOST &&
      SHOWN.includes(show) &&
      (code === "" || (length > 0 && length <= LONGEST))
    );
  };

  /** The program as it stands in the editor. */
  get program() {
    const { code } = this.state;
    return code ? decode(code) : program(this.state, this.data);
  }

  build() {
    const options = (all) => Object.entries(all).map(([name, { label }]) => [name, label]);
    const masks = options(this.data.masks);
    const other = this.menu("other", { label: WORDS.other, options: masks });
    this.controls.push(() => {
      other.hidden = this.state.join === "alone";
    });
    this.source = h("textarea", {
      maxlength: LONGEST,
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      "aria-label": WORDS.editor,
      oninput: () => {
        this.known = encode(this.source.value || "\n"); // an empty editor is the reader's, too
        this.set({ code: this.known });
      },
      onkeydown: (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        if (!this.turn) this.run();
      },
    });
    this.runner = h(
      "button",
      { type: "button", class: "workbench__run", onclick: () => this.run() },
      WORDS.run,
    );
    this.back = h(
      "button",
      { type: "button", hidden: true, onclick: () => this.set({ code: (this.known = this.own) }) },
      WORDS.back,
    );
    this.status = h("span", { role: "status" });
    this.out = h("pre", {
      class: "workbench__out",
      hidden: true,
      tabindex: "0",
      role: "region",
      "aria-label": WORDS.output,
    });
    if (!document.querySelector("script[data-python]")?.dataset.python) {
      this.runner.hidden = true; // a build without Python
      this.source.readOnly = true;
    }
    const seen = (i) => WORDS.sees(i, this.keys(i));
    this.grids = {
      mask: this.grid({
        title: WORDS.mask,
        rowTitle: "Q↓ K→",
        decimals: 0,
        from: seen,
        write: (x) => (x ? "True" : "False"),
      }),
      scores: this.grid({ title: WORDS.scores, rowTitle: "Q↓ K→", kind: "scores", from: seen }),
      weights: this.grid({ title: WORDS.weights, rowTitle: "Q↓ K→", from: seen }),
    };
    this.grids.mask.node.classList.add("workbench__mask");
    this.shown = h(
      "div",
      { class: "workbench__shown" },
      SHOWN.map((name) => this.grids[name].node),
    );
    return [
      h(
        "div",
        { class: "workbench" },
        h(
          "div",
          { class: "workbench__menus" },
          this.menu("mask", { label: WORDS.mask, options: masks }),
          this.choice("join", {
            label: WORDS.join,
            options: [
              ["alone", WORDS.alone],
              ["&", "&"],
              ["|", "|"],
            ],
          }),
          other,
          this.menu("score", {
            label: WORDS.score,
            options: [["none", WORDS.unchanged], ...options(this.data.scores)],
          }),
        ),
        h(
          "div",
          {},
          this.source,
          h("p", { class: "play__bar" }, this.runner, this.back, this.status),
          this.out,
        ),
        h(
          "div",
          {},
          this.choice("show", {
            label: WORDS.show,
            options: SHOWN.map((name) => [name, WORDS[name]]),
          }),
          this.shown,
          this.slider("n", { label: WORDS.n, min: 2, max: MOST }),
        ),
      ),
    ];
  }

  /** A menu begins anew; what the reader wrote can be had back. */
  set(change, quiet = false) {
    const menu = ["mask", "join", "other", "score"].some((name) => name in change);
    if (menu) change = { code: "", ...change };
    if (this.state.code && change.code === "") this.own = this.state.code;
    if (this.state.show === "mask" && (change.score ?? "none") !== "none") change.show = "weights";
    if ("code" in change || "n" in change) this.say("");
    super.set(change, quiet);
  }

  keys(i) {
    return this.held.mask[i].flatMap((allowed, j) => (allowed ? [j] : []));
  }

  draw() {
    const { code, n, show } = this.state,
      text = this.program;
    if (this.source.value.trimEnd() !== text.trimEnd()) this.source.value = text;
    this.source.rows = Math.max(6, Math.min(16, text.trimEnd().split("\n").length + 1));
    this.back.hidden = !this.own || Boolean(code);
    const own = this.result?.text === text && this.result.n === n ? this.result : null;
    const menus = text.trimEnd() === program(this.state, this.data).trimEnd();
    const found = own ?? (menus ? composed(this.state, this.data) : null);
    if (code && code !== this.known) this.say(WORDS.sent);
    this.known = code;
    this.held = found ?? this.held ?? composed({ ...this.initial, n }, this.data);
    const { mask, scores, weights } = this.held;
    const names = { rows: mask.map((_, i) => i), columns: mask.map((_, j) => j) };
    this.grids.mask.fill(
      mask.map((row) => row.map(Number)),
      { ...names, limit: 1 },
    );
    const hidden = (values, decimals) =>
      values.map((row, i) => row.map((x, j) => (mask[i][j] ? number(x, decimals) : "−∞")));
    this.grids.scores.fill(scores, { ...names, limit: 4, texts: hidden(scores, 2) });
    this.grids.weights.fill(weights, names);
    for (const name of SHOWN) this.grids[name].node.hidden = name !== show;
    this.shown.toggleAttribute("data-stale", !found);
    this.shown.toggleAttribute("data-many", mask.length > 9);
    if (!found) return WORDS.stale;
    const count = mask.flat().filter(Boolean).length,
      blind = mask.flatMap((row, i) => (row.some(Boolean) ? [] : [i])),
      last = n - 1,
      most = argmax(weights[last]);
    return (
      WORDS.summary(count, n * n, WORDS.sees(last, this.keys(last))) +
      (show === "weights" && this.keys(last).length
        ? WORDS.most(last, most, number(weights[last][most]))
        : "") +
      (blind.length ? WORDS.blind(blind) : "")
    );
  }

  // ---- The reader's code, in the page's Python ----

  say(text, bad = false) {
    if (this.status.textContent !== text) this.status.textContent = text;
    this.status.toggleAttribute("data-bad", bad);
    if (!text) this.out.hidden = true;
  }

  async run() {
    if (this.turn) {
      this.turn.stop();
      return;
    }
    this.runner.textContent = WORDS.stop;
    const { text, bad = false } = await this.#ran();
    this.runner.textContent = WORDS.run;
    if (!this.isConnected) return;
    this.redraw();
    this.say(text, bad);
  }

  /** Run what stands in the editor; the sentence that says how it ended. */
  async #ran() {
    const text = this.program,
      { n } = this.state;
    let told,
      printed = "",
      found = null;
    this.out.textContent = "";
    this.out.hidden = true;
    try {
      const python = await globalThis.qkv.load("python.mjs");
      told = python.told;
      const code = asked(text, this.data.raw, n);
      const step = { name: "qkv-workbench", code, label: WORDS.label, alone: true };
      this.turn = new python.Turn((sentence) => this.say(sentence));
      const { end } = await this.turn.run([step], (_, { begins, out, snapshot }) => {
        if (begins) this.say(WORDS.running);
        if (snapshot) found = answered(snapshot, n);
        if (!out) return;
        printed = (printed + out).slice(-PRINTED);
        this.out.textContent = printed;
        this.out.hidden = false;
      });
      if (end === "error") {
        const [before, reason, line] = wrong(printed, text);
        this.out.textContent = before;
        this.out.hidden = !before;
        return { text: WORDS.failed(reason, line), bad: true };
      }
      if (end || !found) return { text: told(end || "odd").text, bad: true };
      this.result = { text, n, ...found };
      return { text: WORDS.done };
    } catch (failure) {
      if (!told) {
        if (!globalThis.qkv.lost(failure)) throw failure;
        return { text: WORDS.lost, bad: true };
      }
      const how = told(failure);
      return { text: how.text, bad: how.state === "bad" };
    } finally {
      this.turn = undefined;
    }
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.turn?.end("left");
  }
}

customElements.define("qkv-workbench", Workbench);
