// flash-attention: the tiles of one sentence, read one after the other, as flash_attention told it.
import { words } from "../language.mjs";
import { Figure, desk, h, number, svg } from "./core.mjs";

const WORDS = words({
  scores: { zh: "缩放后的分数", en: "scaled scores" },
  kept: { zh: "记着的", en: "kept" },
  output: { zh: "目前的输出", en: "output so far" },
  maximum: { zh: "最大", en: "max" },
  sum: { zh: "总和", en: "sum" },
  reading: { zh: "正在读的块：查询 · 键 ÷ √2", en: "the tile being read: query · key ÷ √2" },
  hidden: { zh: "正在读的块，被掩码遮住", en: "in the tile being read, hidden by the mask" },
  gone: { zh: "读过了，分数已经不在", en: "read before; the score is gone" },
  notYet: { zh: "还没有读", en: "not read yet" },
  skipped: { zh: "整块被遮住，不读", en: "the whole tile is hidden and never read" },
  nothingKept: { zh: "还没有读到键", en: "no key has been read" },
  largest: { zh: "目前最大的缩放后的分数", en: "the largest scaled score so far" },
  total: { zh: "目前指数的总和", en: "the sum of the exponentials so far" },
  divided: { zh: "加起来的值 ÷ 总和", en: "the values added up ÷ the sum" },
  done: { zh: "读完了：加起来的值 ÷ 总和", en: "finished: the values added up ÷ the sum" },
  back: { zh: "← 上一块", en: "← back" },
  next: { zh: "下一块 →", en: "next →" },
  read: { zh: "读了几块", en: "tiles read" },
  size: { zh: "一块有", en: "a tile is" },
  square: { zh: (n) => `${n} × ${n}`, en: (n) => `${n} × ${n}` },
  causal: { zh: "因果掩码", en: "causal mask" },
  of: { zh: (step, all) => `${step} / ${all}`, en: (step, all) => `${step} of ${all}` },
  soFar: { zh: "分块，到此", en: "tiles so far" },
  whole: { zh: "整张写出", en: "written out" },
  bytes: { zh: (n) => `${n} 字节`, en: (n) => `${n} bytes` },
  list: { zh: (names) => `“${names.join("”“")}”`, en: (names) => `“${names.join(", ")}”` },
  start: {
    zh: (all, skipped) =>
      `还什么都没有读：最大值是 −∞，总和是 0。一共要读 ${all} 块${skipped ? `，另有 ${skipped} 块整块被遮住，不读` : ""}。`,
    en: (all, skipped) =>
      `Nothing has been read: the maximum is −∞, the sum 0. There are ${all} tiles to read` +
      `${skipped ? `; ${skipped} more are hidden altogether and never read` : ""}.`,
  },
  tile: {
    zh: (step, all, queries, keys) => `第 ${step} 块，共 ${all} 块：${queries}读${keys}。`,
    en: (step, all, queries, keys) => `Tile ${step} of ${all}: ${queries} read ${keys}. `,
  },
  first: {
    zh: "这是它们的第一块，最大值和总和就由它来定。",
    en: "It is their first, so it sets maximum and sum. ",
  },
  rise: {
    zh: (name, before, after, shrink) =>
      `“${name}”的最大值从 ${before} 升到 ${after}，先前的总和与值乘以 ${shrink}。`,
    en: (name, before, after, shrink) =>
      `The maximum of “${name}” rises from ${before} to ${after}: what it had summed and added ` +
      `up is multiplied by ${shrink}. `,
  },
  noRise: { zh: "最大值没有升，什么也不用缩。", en: "No maximum rises, nothing is rescaled. " },
  finished: {
    zh: (queries) => `${queries}读完了：除以总和，就是输出。`,
    en: (queries) => `${queries} are through: divided by the sum, that is their output. `,
  },
  finishedOne: {
    zh: (queries) => `${queries}读完了：除以总和，就是输出。`,
    en: (queries) => `${queries} is through: divided by the sum, that is its output. `,
  },
  moved: {
    zh: (moved, all, whole) => `到此搬了 ${moved} 字节，读完要搬 ${all}，整张写出要搬 ${whole}。`,
    en: (moved, all, whole) => `Moved so far: ${moved} of ${all} bytes; written out, ${whole}. `,
  },
  equal: {
    zh: "跟整张表算出的比，np.allclose 给 True。",
    en: "Compared with the whole table, np.allclose says True.",
  },
});

/**
 * @typedef {object} Tile What `flash_attention` tells once a tile is read (`FlashTile`).
 * @property {[number, number]} queries  from this one on, up to that
 * @property {[number, number]} keys
 * @property {(number | null)[][]} scores  null: hidden
 * @property {number[]} maximum
 * @property {number[]} total
 * @property {number[][]} added
 * @property {number} moved
 */
/** @typedef {{ tiles: Tile[], same: boolean }} Trace */

const inside = (i, [start, stop]) => i >= start && i < stop;

/**
 * What is to be seen after `step` tiles of n queries: for each the maximum, the sum and the output
 * so far (null: nothing read), and which maxima the last tile has raised.
 * @param {Trace} trace
 * @param {number} step
 * @param {number} n
 */
export const after = ({ tiles }, step, n) => {
  const kept = Array.from({ length: n }, () => null),
    before = [...kept];
  tiles.slice(0, step).forEach((tile, at) => {
    const [first] = tile.queries;
    tile.maximum.forEach((maximum, i) => {
      const total = tile.total[i];
      if (at === step - 1) before[first + i] = kept[first + i];
      kept[first + i] = { maximum, total, output: tile.added[i].map((x) => x / total) };
    });
  });
  const rises = before.flatMap((was, i) =>
    was && kept[i].maximum > was.maximum
      ? [{ i, was: was.maximum, shrink: Math.exp(was.maximum - kept[i].maximum) }]
      : [],
  );
  return { kept, rises };
};

/** Whether no tile after this one has the same queries. */
export const isLast = ({ tiles }, step) =>
  step === tiles.length || tiles[step].queries[0] !== tiles[step - 1].queries[0];

const LEFT = 76,
  LONG = 170;

class Tiles extends Figure {
  static initial = { step: 3, size: 2, causal: 0 };
  static valid = ({ step, size, causal }, { traces }) =>
    Number.isInteger(step) && step >= 0 && step <= traces[`${size},${causal}`].tiles.length;

  get trace() {
    return this.data.traces[`${this.state.size},${this.state.causal}`];
  }

  /** Other tiles: not further than there are. */
  set(change, quiet = false) {
    const state = { ...this.state, ...change },
      trace = this.data.traces[`${state.size},${state.causal}`];
    super.set({ ...state, step: Math.min(state.step, trace?.tiles.length ?? 0) }, quiet);
  }

  build() {
    const go = (by) =>
      this.set({ step: Math.max(0, Math.min(this.trace.tiles.length, this.state.step + by)) });
    const button = (by, words) => h("button", { type: "button", onclick: () => go(by) }, words);
    this.back = button(-1, WORDS.back);
    this.on = button(1, WORDS.next);
    const slider = this.slider("step", {
      label: WORDS.read,
      min: 0,
      max: this.trace.tiles.length,
      show: (step) => WORDS.of(step, this.trace.tiles.length),
    });
    this.range = slider.querySelector("input");
    const bar = h(
      "p",
      {
        class: "play__bar",
        onkeydown: (event) => {
          const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
          if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
          go(by);
          event.preventDefault();
          event.stopPropagation(); // the theme turns pages by some keys
        },
      },
      this.back,
      this.on,
    );
    const state = (i) => this.seen.kept[i];
    this.scores = this.grid({
      title: WORDS.scores,
      kind: "scores",
      from: (i, j) => WORDS[this.where(i, j)],
      write: (x) => (Number.isNaN(x) ? "—" : number(x, 3)),
    });
    const written = (x) => (Number.isNaN(x) ? "—" : number(x, 3));
    this.kept = this.grid({
      title: WORDS.kept,
      kind: "scores",
      from: (i, j) => (state(i) ? WORDS[j ? "total" : "largest"] : WORDS.nothingKept),
      write: written,
    });
    this.output = this.grid({
      title: WORDS.output,
      kind: "output",
      from: (i) => (state(i) ? (this.isDone(i) ? WORDS.done : WORDS.divided) : WORDS.nothingKept),
      write: written,
    });
    const line = (y, words) => ({
      bar: svg("rect", {
        x: LEFT,
        y,
        height: 14,
        rx: 3,
        fill: "var(--qkv-heat)",
        "fill-opacity": 0.5,
      }),
      name: svg("text", { x: LEFT - 6, y: y + 11, "text-anchor": "end" }, words),
      text: svg("text", { y: y + 11 }),
    });
    this.lines = [line(4, WORDS.soFar), line(26, WORDS.whole)];
    return [
      desk(slider, bar),
      this.pick("size", {
        label: WORDS.size,
        options: () => [1, 2, 3].map((size) => [size, WORDS.square(size)]),
        chosen: () => this.state.size,
        act: (size) => this.set({ size }),
      }),
      this.toggle("causal", { label: WORDS.causal }),
      h(
        "div",
        { class: "play__row play__pair" },
        [this.scores, this.kept, this.output].map(({ node }) => node),
      ),
      svg(
        "svg",
        {
          viewBox: "0 0 330 44",
          width: 330,
          height: 44,
          "font-size": 12,
          fill: "currentColor",
          "aria-hidden": "true",
        },
        this.lines.flatMap(({ bar: rect, name, text }) => [rect, name, text]),
      ),
    ];
  }

  /** What a cell of the scores is at the moment. */
  where(i, j) {
    const { tiles } = this.trace,
      { step } = this.state,
      at = tiles.findIndex(({ queries, keys }) => inside(i, queries) && inside(j, keys));
    if (at < 0) return "skipped";
    if (at >= step) return "notYet";
    if (at < step - 1) return "gone";
    const { queries, keys, scores } = tiles[at];
    return scores[i - queries[0]][j - keys[0]] === null ? "hidden" : "reading";
  }

  isDone(i) {
    return !this.trace.tiles.slice(this.state.step).some(({ queries }) => inside(i, queries));
  }

  draw() {
    const { words: names, whole } = this.data,
      { step } = this.state,
      { trace } = this,
      { tiles } = trace,
      now = tiles[step - 1],
      n = names.length;
    this.seen = after(trace, step, n);
    const { kept, rises } = this.seen;
    this.range.max = tiles.length;
    this.back.setAttribute("aria-disabled", step === 0);
    this.on.setAttribute("aria-disabled", step === tiles.length);

    const square = (of) => names.map((_, i) => names.map((_, j) => of(i, j)));
    const places = square((i, j) => this.where(i, j));
    const score = (i, j) => now.scores[i - now.queries[0]][j - now.keys[0]];
    const values = square(
      (i, j) => ({ reading: () => score(i, j), hidden: () => -Infinity })[places[i][j]]?.() ?? NaN,
    );
    this.scores.fill(values, {
      rows: names,
      columns: names,
      limit: 4,
      chosen: (i, j) => ["reading", "hidden"].includes(places[i][j]),
      texts: square(
        (i, j) => ({ gone: "·", notYet: "", skipped: "×" })[places[i][j]] ?? number(values[i][j]),
      ),
    });
    const blank = (rows) => rows.map((row) => row.map((x) => (Number.isNaN(x) ? "" : number(x))));
    const pairs = kept.map((one) => (one ? [one.maximum, one.total] : [NaN, NaN]));
    const risen = (i, j) => j === 0 && rises.some((rise) => rise.i === i);
    this.kept.fill(pairs, {
      rows: names,
      columns: [WORDS.maximum, WORDS.sum],
      limit: 6,
      chosen: risen,
      texts: blank(pairs),
    });
    const outputs = kept.map((one) => one?.output ?? [NaN, NaN]);
    this.output.fill(outputs, {
      rows: names,
      columns: [0, 1],
      limit: 1,
      chosen: (i) => Boolean(kept[i]) && this.isDone(i),
      texts: blank(outputs),
    });
    const moved = now?.moved ?? 0;
    [moved, whole].forEach((bytes, at) => {
      const { bar, text } = this.lines[at],
        long = (bytes / whole) * LONG;
      bar.setAttribute("width", long);
      text.setAttribute("x", LEFT + long + 6);
      text.textContent = WORDS.bytes(bytes);
    });
    return this.said(now, rises, moved);
  }

  /** The sentence for this step. */
  said(now, rises, moved) {
    const { words: names, whole } = this.data,
      { step, size } = this.state,
      { trace } = this,
      all = trace.tiles.length;
    if (!now) return WORDS.start(all, (names.length / size) ** 2 - all);
    const queries = names.slice(...now.queries),
      first = !trace.tiles.slice(0, step - 1).some((one) => one.queries[0] === now.queries[0]),
      last = isLast(trace, step);
    const told = rises.map(({ i, was, shrink }) =>
      WORDS.rise(names[i], number(was), number(this.seen.kept[i].maximum), number(shrink)),
    );
    return [
      WORDS.tile(step, all, WORDS.list(queries), WORDS.list(names.slice(...now.keys))),
      ...(first ? [WORDS.first] : told.length ? told : [WORDS.noRise]),
      ...(last ? [WORDS[size > 1 ? "finished" : "finishedOne"](WORDS.list(queries))] : []),
      WORDS.moved(moved, trace.tiles[all - 1].moved, whole),
      ...(step === all && trace.same ? [WORDS.equal] : []),
    ].join("");
  }
}

customElements.define("qkv-tiles", Tiles);
