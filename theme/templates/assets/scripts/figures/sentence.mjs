// pretrained: a sentence of the reader's own in the real model. Before the model is asked for, one
// of the page's recorded sentences is shown. What is typed is text: in the box, in the address after
// the #, which no server sees, and on this device.
import { language, words } from "../language.mjs";
import { Figure, Lost, desk, fetched, h, number } from "./core.mjs";
import {
  added,
  byWord,
  centredCosines,
  lineBetween,
  meanRow,
  pairs,
  roles,
  rows,
  way,
} from "./encoded.mjs";
import { dot, transpose } from "./maths.mjs";
import { inflate, shaped } from "./unpack.mjs";
import { chart, draw } from "./ways.mjs";

const size = (bytes) =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${Math.round(bytes / 1e6)} MB`;
const quoted = { zh: (word) => `“${word}”`, en: (word) => `“${word}”` }[language];
const signed = (x) => (Number(x.toFixed(2)) > 0 ? "+" : "") + number(x);

const WORDS = words({
  text: { zh: "你的句子", en: "your sentence" },
  ours: { zh: "本页的句子", en: "a sentence of this page" },
  typed: { zh: "（自己写的）", en: "(one of your own)" },
  compute: { zh: "计算", en: "Compute" },
  fetchAndCompute: {
    zh: (bytes) => `取模型（${size(bytes)}）并计算`,
    en: (bytes) => `Fetch the model (${size(bytes)}) and compute`,
  },
  stop: { zh: "停止", en: "Stop" },
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
  noModel: {
    zh: "这份网站没有带模型，只能看记录好的句子。",
    en: "This copy of the site has no model: there are only the recorded sentences.",
  },
  fetching: {
    zh: (percent, total) => `正在取：${percent}%（共 ${size(total)}）`,
    en: (percent, total) => `Fetching: ${percent}% of ${size(total)}`,
  },
  empty: { zh: "先写一句话。", en: "Write a sentence first." },
  unpacking: { zh: "取到了，正在展开…", en: "It is here; unpacking…" },
  computing: { zh: "正在计算…", en: "Computing…" },
  lineOf: {
    zh: (n, all) => `正在算两组词：第 ${n} 个，共 ${all} 个`,
    en: (n, all) => `Computing the two groups: word ${n} of ${all}`,
  },
  lineHere: { zh: "两组词算好了。", en: "The two groups are computed." },
  lost: {
    zh: "脚本没有取到。检查网络后再按一次。",
    en: "The script did not arrive. Check the connection and press again.",
  },
  needsModel: {
    zh: "记录好的句子里没有这一步要的数。按上面的按钮，用模型来算。",
    en: "The recorded sentences do not have these numbers. The button above has the model compute.",
  },
  keptHeads: {
    zh: (list) => `记录好的句子只带 ${list.join("、")} 的 q、k、v。选其中一个，或按上面的按钮。`,
    en: (list) =>
      `The recorded sentences have q, k and v of ${list.join(", ")} only. Choose one of them, or ` +
      "press the button above.",
  },
  step: { zh: "看什么", en: "view" },
  look: { zh: "谁看谁", en: "who looks where" },
  qkv: { zh: "q、k、分数", en: "q, k, scores" },
  values: { zh: "值", en: "values" },
  path: { zh: "一层层走", en: "layer by layer" },
  cut: { zh: "切断", en: "cut" },
  roles: { zh: "头的分工", en: "roles" },
  compare: { zh: "两句对比", en: "two sentences" },
  hintLook: {
    zh: "一行是一个词分出去的注意力，加起来是 1。点一行换词；移动两个滑块，看 144 个头各不相同。",
    en:
      "A row is how one word shares out its attention; it sums to 1. Press a row for another " +
      "word; move both sliders to see how the 144 heads differ.",
  },
  hintQkv: {
    zh: "这个词的查询与每个键做点积，除以 √32 是缩放后的分数；一行分数做 softmax，就是注意力权重。",
    en:
      "The query of this word with each key, divided by √32, is the scaled score; softmax of the " +
      "scores is the attention weights.",
  },
  hintValues: {
    zh: "每个词加进来的是注意力权重 × 它的值；加起来就是这个头给这个词的结果。",
    en:
      "Each word adds its attention weight times its value; the sum is what the head gives to " +
      "this word.",
  },
  hintPath: {
    zh: "两组词定出一条线：1 是第一组，−1 是第二组。看这个词一层层往哪边走。",
    en:
      "Two groups of words make a line: 1 is the first, −1 the second. See which way the word " +
      "goes, layer by layer.",
  },
  hintCut: {
    zh: "不让这个词看见什么，再走一遍。这是量出来的后果，不是解释：别的头会补上，后面的层也会变。",
    en:
      "Hide something from the word and run again. What you see is a measured effect, no " +
      "explanation: other heads make up for it, and later layers change as well.",
  },
  hintRoles: {
    zh: "在你这一句里，哪个头最常看某个位置（平均注意力权重）。144 个里总有一个最大的，一句话说明不了太多。",
    en:
      "Which head looks most at such a place in this sentence (mean attention weight). One of " +
      "144 is always the largest, and one sentence does not say much.",
  },
  hintCompare: {
    zh: "两句里的词两两比较：同一层之后的向量各减去本语言常用词的平均，再算余弦。",
    en:
      "Every word with every word: their vectors after the same layer, less the mean of common " +
      "words of their language, as cosines.",
  },
  word: { zh: "词", en: "word" },
  layer: { zh: "层", en: "layer" },
  head: { zh: "头", en: "head" },
  map: { zh: "注意力权重", en: "attention weights" },
  asksAsked: { zh: "在问 ↓ 被问 →", en: "asks ↓ asked →" },
  tokens: {
    zh: (pieces) => `词元：${pieces.join(" · ")}。`,
    en: (pieces) => `Tokens: ${pieces.join(" · ")}.`,
  },
  scaled: { zh: "缩放后的分数", en: "scaled scores" },
  fromScaled: { zh: "q·k / √32", en: "q·k / √32" },
  fromSoftmax: { zh: "这一行分数的 softmax", en: "softmax of the row of scores" },
  adds: { zh: "注意力权重 × v", en: "attention weight × v" },
  sum: { zh: "合计", en: "sum" },
  push: { zh: "推力", en: "push" },
  fromPush: { zh: "注意力权重 × (v·W_O)·u", en: "attention weight × (v·W_O)·u" },
  groups: { zh: "两组词", en: "two groups of words" },
  first: { zh: "1：最多五个词", en: "1: up to five words" },
  second: { zh: "−1：最多五个词", en: "−1: up to five words" },
  fromWords: { zh: "用这些词", en: "Use these words" },
  ownWords: { zh: "（自己选的词）", en: "(words of your own)" },
  groupSizes: {
    zh: "每组写一到五个词，用空格隔开。",
    en: "Write one to five words for each group, with spaces between them.",
  },
  sameGroups: {
    zh: "两组词一样，中间没有线。换一组。",
    en: "Both groups are the same, and there is no line between them. Change one.",
  },
  hide: { zh: "不让它看见", en: "hide from it" },
  others: { zh: "所有别的词", en: "all other words" },
  where: { zh: "在哪里切", en: "where" },
  here_: { zh: "只在这个头", en: "this head only" },
  inLayer: { zh: "这一层的所有头", en: "all heads of this layer" },
  everywhere: { zh: "所有层、所有头", en: "all layers and heads" },
  every: { zh: "对句中每个词都切", en: "for every word of the sentence" },
  other: { zh: "另一句（可以是另一种语言）", en: "another sentence (in another language, say)" },
  cosines: { zh: "余弦", en: "cosines" },
  roleNext: { zh: "后一个词元", en: "the next token" },
  rolePrevious: { zh: "前一个词元", en: "the previous token" },
  roleFirst: { zh: "第一个词元", en: "the first token" },
  roleItself: { zh: "自己", en: "itself" },
  roleLast: { zh: "最后一个词元", en: "the last token" },
  list: { zh: (parts) => parts.join("，"), en: (parts) => parts.join(", ") },
  gives: {
    zh: (word, to) => `${quoted(word)}给${to}`,
    en: (word, to) => `${quoted(word)} gives ${to}`,
  },
  givesTo: {
    zh: (weight, to) => `${quoted(to)}${weight}`,
    en: (weight, to) => `${weight} to ${quoted(to)}`,
  },
  summaryLook: { zh: (at, gives) => `${at}：${gives}。`, en: (at, gives) => `${at}: ${gives}.` },
  summaryQkv: {
    zh: (at, word, key, score, gives) =>
      `${at}：${quoted(word)}的查询与${quoted(key)}的键分数最高，${score}。${gives}。`,
    en: (at, word, key, score, gives) =>
      `${at}: the query of ${quoted(word)} scores highest with the key of ${quoted(key)}, ` +
      `${score}. ${gives}.`,
  },
  summaryValues: {
    zh: (at, word, most, share) =>
      `${at}：给${quoted(word)}的结果里，加得最多的是${quoted(most)}（长度 ${share}）。`,
    en: (at, word, most, share) =>
      `${at}: most of what ${quoted(word)} gets comes from ${quoted(most)} (length ${share}).`,
  },
  summaryPush: {
    zh: (most, push, side) => `推得最多的是${quoted(most)}：${push}，朝“${side}”。`,
    en: (most, push, side) =>
      ` The largest push is that of ${quoted(most)}: ${push}, towards ${side}.`,
  },
  summaryPath: {
    zh: (word, from, to, first, second) =>
      `${quoted(word)}从 ${from} 走到 ${to}（1 是${first}，−1 是${second}）。`,
    en: (word, from, to, first, second) =>
      `${quoted(word)} goes from ${from} to ${to} (1 is ${first}, −1 is ${second}).`,
  },
  summaryCut: {
    zh: (word, what, where, whole, cut, by) =>
      `${where}，${quoted(word)}看不见${what}：终点从 ${whole} 变成 ${cut}，相差 ${by}。`,
    en: (word, what, where, whole, cut, by) =>
      `With ${what} hidden from ${quoted(word)}, ${where}: the end moves from ${whole} to ` +
      `${cut}, by ${by}.`,
  },
  summaryRoles: {
    zh: (role, at, mean) => `看“${role}”最多的头是 ${at}，平均 ${mean}。`,
    en: (role, at, mean) => `The head that looks most at ${role} is ${at}: ${mean} on average.`,
  },
  summaryCompare: {
    zh: (layer, word, other, cosine) =>
      `第 ${layer} 层之后，与${quoted(word)}最近的是${quoted(other)}：${cosine}。`,
    en: (layer, word, other, cosine) =>
      `After layer ${layer}, the nearest to ${quoted(word)} is ${quoted(other)}: ${cosine}.`,
  },
  waiting: { zh: "正在算…", en: "Computing…" },
});

const STEPS = ["look", "qkv", "values", "path", "cut", "roles", "compare"];
const HINTS = [
  WORDS.hintLook,
  WORDS.hintQkv,
  WORDS.hintValues,
  WORDS.hintPath,
  WORDS.hintCut,
  WORDS.hintRoles,
  WORDS.hintCompare,
];
const PLACES = { head: WORDS.here_, layer: WORDS.inLayer, all: WORDS.everywhere };
const ROLES = {
  next: WORDS.roleNext,
  previous: WORDS.rolePrevious,
  first: WORDS.roleFirst,
  itself: WORDS.roleItself,
  last: WORDS.roleLast,
};
const D_MODEL = 384,
  D_K = 32,
  LONGEST = 200, // characters in a box
  MOST = 5, // words of a group
  FIRST = -1, // the word that the figure chooses
  OTHERS = -1, // hidden from it: all
  KEY = "sentence", // in the storage
  KEPT = ["text", "other", "first", "second"];
/** Whether the numbers of so many words fit beside each other. */
const few = (n) => n <= (narrow.matches ? 5 : 8);
const narrow = matchMedia("(max-width: 44.9375em)"); // a phone
const han = (text) => /\p{Script=Han}/u.test(text);
const frame = (word) => (han(word) ? ["这是", word] : ["this is ", word]);
const group = (text) => text.split(/[\s,，、;；]+/u).filter(Boolean);
const mark = (piece) => piece === "<s>" || piece === "</s>";
const inLanguage = ([zh, en]) => ({ zh, en })[language];

/**
 * A sentence, recorded or computed: its tokens and words, and of each layer and head what it has.
 * @typedef {object} Shown
 * @property {string} text
 * @property {string[]} pieces
 * @property {{ text: string, own: number[], inText: boolean }[]} words  the marks among them
 * @property {number} layers
 * @property {number} heads
 * @property {number} chosen  the word to begin with
 * @property {(layer: number, head: number) => number[][]} map
 * @property {any} [recorded]
 * @property {any} [live]
 */

/** A recorded sentence. @returns {Promise<Shown>} */
async function recorded(sentence, { layers, heads, kept, d_k, words: known }) {
  const { pieces, own } = sentence,
    n = pieces.length;
  const [weights, parts, ...inside] = await Promise.all([
    inflate(sentence.weights, "uint8"),
    inflate(sentence.parts, "int16"),
    ...sentence.qkv.map(({ numbers }) => inflate(numbers, "int8")),
  ]);
  const maps = shaped(weights, [layers, heads, n, n], 1 / 100);
  const matrices = inside.map((flat, i) => shaped(flat, [n, d_k], 1 / sentence.qkv[i].steps));
  let at = 0;
  const placed = pieces.map((piece, i) => {
    const bare = mark(piece) ? "" : piece.replace("▁", "");
    const start = bare ? sentence.text.indexOf(bare, at) : at;
    at = start + bare.length;
    const goesOn =
      /^[\p{Script=Latin}\p{N}]/u.test(piece) && /[\p{Script=Latin}\p{N}]$/u.test(pieces[i - 1]);
    return { text: piece, start, end: at, goesOn, word: bare ? i : null };
  });
  for (const [i, piece] of placed.entries()) if (piece.goesOn) piece.word = placed[i - 1].word;
  const all = wordsOf(sentence.text, placed, [own[0], own.at(-1) + 1]);
  return {
    text: sentence.text,
    pieces,
    words: all,
    layers,
    heads,
    chosen: all.findIndex((word) => word.own.includes(own[0])),
    map: (layer, head) => maps[layer][head],
    recorded: {
      ...sentence,
      known: known[sentence.word],
      pushes: shaped(parts, [layers, heads, n], 1 / 1000),
      kept: kept.map(([layer, head]) => `L${layer}H${head}`),
      vectors: Object.fromEntries(
        kept.map(([layer, head], i) => {
          const [q, k, v] = matrices.slice(3 * i, 3 * i + 3);
          return [`${layer},${head}`, { q, k, v }];
        }),
      ),
    },
  };
}

/** A word as our lists have it. */
const plain = (text) => text.replace(/ \d+$/, "").toLowerCase();

/** The word to begin with: one of ours, or the longest, which is seldom a small one. */
function telling(all) {
  const words_ = all.filter(({ inText }) => inText);
  const ours = words_.find(({ text }) => known.includes(plain(text)));
  const longest = words_.reduce((a, b) => (b.text.length >= a.text.length ? b : a), words_[0]);
  return Math.max(0, all.indexOf(ours ?? longest));
}

/**
 * Tokens as words: those that the model's reader joins, and of Chinese what the browser's own
 * dictionary joins, 橙 and 子. A token is in one word only.
 * @param {string} text
 * @param {{ text: string, word: number | null, start: number, end: number }[]} pieces
 * @param {number[]} apart  tokens that begin a word in any case
 */
function wordsOf(text, pieces, apart = []) {
  const ends = []; // for each place in the text where its word ends
  if ("Segmenter" in Intl) {
    const segments = new Intl.Segmenter("zh", { granularity: "word" }).segment(text);
    for (const { segment, index } of segments) {
      for (let i = index; i < index + segment.length; i += 1)
        ends[i] = han(segment) ? index + segment.length : i + 1;
    }
  }
  const all = [];
  let word = null, // of the token before
    end = 0;
  for (const [i, piece] of pieces.entries()) {
    const inText = piece.word !== null && piece.end > piece.start;
    const goesOn =
      inText && word !== null && !apart.includes(i) && (piece.word === word || piece.start < end);
    if (goesOn) {
      const last = all.at(-1);
      last.own.push(i);
      last.text = text.slice(last.start, piece.end).trim();
    } else {
      const own = inText ? text.slice(piece.start, piece.end).trim() : "";
      all.push({ text: own || piece.text, own: [i], start: piece.start, inText });
    }
    word = inText ? piece.word : null;
    end = inText ? Math.max(piece.end, ends[piece.end - 1] ?? 0) : 0;
  }
  // One that stands there twice has its place beside it.
  const texts = all.map((one) => one.text);
  return all.map(({ text: one, own, inText }, i) => ({
    text: texts.indexOf(one) === texts.lastIndexOf(one) ? one : `${one} ${i}`,
    own,
    inText,
  }));
}

/** A computed one. @returns {Shown} */
function computed(sentence) {
  const { text, pieces, layers, heads, weights } = sentence,
    n = pieces.length;
  const all = wordsOf(text, pieces);
  return {
    text: text.trim(),
    pieces: pieces.map((piece) => piece.text),
    words: all,
    layers,
    heads,
    chosen: telling(all),
    map: (layer, head) => rows(weights[layer].subarray(head * n * n, (head + 1) * n * n), n),
    live: sentence,
  };
}

/** The vectors of some tokens, their mean, before the first layer and after each. */
const vectors = (sentence, own) =>
  sentence.hidden.map((flat) => {
    const at = (i) => Array.from(flat.subarray(i * D_MODEL, (i + 1) * D_MODEL));
    const all = own.map(at);
    return meanRow(all, [...all.keys()]);
  });

/** What was computed, for as long as the page's scripts live. */
let model;
let script; // model.mjs
/** The words of the page, each with its two meanings. @type {string[]} */
let known = [];
/** @type {Map<string, Shown>} */
const sentences = new Map();
const lines = new Map();
/** @type {Promise<any>} */
let queue = Promise.resolve();
/** The model does one thing at a time. @param {() => any} task */
const next = (task) => {
  const done = queue.then(task);
  queue = done.catch(() => {});
  return done;
};

class Sentence extends Figure {
  static initial = {
    text: "",
    step: "look",
    layer: 11,
    head: 0,
    word: FIRST,
    first: "",
    second: "",
    hide: OTHERS,
    where: "all",
    every: 0,
    other: "",
  };
  static valid = ({ text, step, layer, head, word, first, second, hide, where, every, other }) =>
    [text, first, second, other].every((one) => one.length <= LONGEST) &&
    [first, second].every((one) => group(one).length <= MOST) &&
    STEPS.includes(step) &&
    where in PLACES &&
    [layer, head, word, hide].every(Number.isInteger) &&
    [layer, head].every((x) => x >= 0 && x < 12) &&
    word >= FIRST &&
    hide >= OTHERS &&
    [0, 1].includes(every);

  get initial() {
    return { ...Sentence.initial, text: this.data.sentences[3].text, other: this.data.other };
  }

  build() {
    known = this.data.groups.map(({ word }) => word);
    this.opened = new Map(); // of the recorded sentences, those unpacked
    this.asked = new Map(); // what is on its way or there, by name
    if (new URLSearchParams(location.hash.slice(1)).get("figure") !== this.name) this.#remembered();
    this.onnarrow = () => this.redraw();
    narrow.addEventListener("change", this.onnarrow);
    return [this.#source(), ...this.#views()];
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    narrow.removeEventListener("change", this.onnarrow);
  }

  // ---- The box, and what pressing its button costs ----

  #source() {
    const box = (key, label) => {
      const input = h("input", {
        type: "text",
        maxlength: LONGEST,
        autocomplete: "off",
        spellcheck: "false",
        enterkeyhint: "go",
        oninput: () => this.#typed(key, input.value),
      });
      this.controls.push(() => {
        if (input.value !== this.state[key]) input.value = this.state[key];
      });
      return h("label", { class: "play__field" }, h("span", {}, label), input);
    };
    const form = (key, label) => {
      const button = h("button", { type: "submit", "data-compute": key });
      const line = h(
        "form",
        {
          class: "play__typed",
          onsubmit: (event) => {
            event.preventDefault();
            this.#compute(key);
          },
        },
        box(key, label),
        button,
      );
      return line;
    };
    this.own = form("text", WORDS.text);
    this.second = form("other", WORDS.other);
    this.ours = h(
      "select",
      { onchange: () => this.#typed("text", this.ours.value) },
      h("option", { value: "" }, WORDS.typed),
      this.data.sentences.map(({ text }) => h("option", { value: text }, text)),
    );
    this.all = h("input", { type: "checkbox", onchange: () => this.refresh() });
    this.allText = h("span", {});
    this.everything = h("label", { class: "play__toggle", hidden: true }, this.all, this.allText);
    this.state_ = h("p", { class: "play__hint", role: "status" });
    this.bar = h("progress", { max: 1, "aria-label": WORDS.computing });
    this.stop = h(
      "button",
      { type: "button", hidden: true, onclick: () => this.busy?.abort() },
      WORDS.stop,
    );
    this.way = h("p", { class: "play__bar", hidden: true }, this.bar, this.stop);
    this.controls.push(() => {
      const { text } = this.state;
      this.ours.value = this.data.sentences.some((one) => one.text === text) ? text : "";
    });
    globalThis.qkv
      .load("model.mjs")
      .then(async (loaded) => {
        script = loaded;
        await this.#count();
      })
      .catch((error) => {
        if (!globalThis.qkv.lost(error)) throw error;
        this.failed = true;
        this.report(WORDS.lost);
      })
      .finally(() => this.source.removeAttribute("aria-busy"));
    this.source = h(
      "div",
      { class: "play__source", "aria-busy": "true" },
      this.own,
      h("label", { class: "play__menu" }, h("span", {}, WORDS.ours), this.ours),
      this.everything,
      this.way,
      this.state_,
    );
    return this.source;
  }

  /** What is still missing, and the words for it. */
  async #count() {
    this.missing = await script.missing();
    if (this.isConnected) this.refresh();
  }

  /** The buttons and the line below them. */
  refresh() {
    const { missing } = this,
      none = missing === null;
    const model_ = missing && (this.all.checked ? missing.everything : missing.model);
    const bytes = missing ? missing.python + model_ : 0;
    const more = missing ? missing.everything - missing.model : 0; // rows of rare words
    for (const button of this.live?.querySelectorAll("[data-compute]") ?? []) {
      button.textContent = bytes && !model ? WORDS.fetchAndCompute(bytes) : WORDS.compute;
      button.disabled = !missing || Boolean(this.busy);
    }
    this.own.hidden = none;
    this.everything.hidden = !more || Boolean(this.busy);
    this.allText.textContent = WORDS.everything(more);
    this.stop.hidden = !this.fetching;
    this.way.hidden = !this.busy;
    if (this.busy || this.failed) return;
    const said = [];
    if (none) said.push(WORDS.noModel);
    else if (missing) {
      if (!model && bytes) said.push(WORDS.missing(missing.python, bytes));
      else if (this.wants) said.push(WORDS.wants(this.wants));
      if (this.shown && this.shown.text !== this.state.text.trim())
        said.push(WORDS.stale(this.shown.text));
    }
    this.report(said.join(language === "zh" ? "" : " "));
  }

  report(text) {
    if (this.state_.textContent !== text) this.state_.textContent = text;
  }

  #typed(key, text) {
    this.failed = false;
    this.set(key === "text" ? { text, word: FIRST, hide: OTHERS } : { [key]: text });
    this.wants = 0;
    clearTimeout(this.weighing);
    if (!model || !text.trim() || sentences.has(text.trim())) return;
    this.weighing = setTimeout(async () => {
      try {
        const { bytes } = await next(() => model.wants(text.trim()));
        if (this.state[key] !== text) return;
        this.wants = bytes;
        this.refresh();
      } catch {
        /* said when it is computed */
      }
    }, 400);
  }

  /** The model, fetched if need be. */
  async #loaded() {
    if (model) return model;
    this.fetching = true;
    this.refresh();
    let said = -1;
    try {
      model = await script.load({
        everything: this.all.checked,
        signal: this.busy.signal,
        progress: ({ received, total, what }) => {
          if (what === "unpacking") {
            this.bar.removeAttribute("value");
            this.report(WORDS.unpacking);
            return;
          }
          if (!total) return;
          this.bar.value = received / total;
          const percent = Math.floor((10 * received) / total) * 10; // tens: it is read out
          if (percent !== said) this.report(WORDS.fetching((said = percent), total));
        },
      });
      return model;
    } finally {
      this.fetching = false;
    }
  }

  async #compute(key) {
    if (this.busy || !script) return;
    const text = this.state[key].trim();
    if (!text) {
      this.failed = true;
      this.report(WORDS.empty);
      return;
    }
    this.busy = new AbortController();
    this.failed = false;
    this.asked.clear(); // what failed is tried again
    this.bar.removeAttribute("value");
    try {
      await this.#loaded();
      this.refresh();
      this.bar.removeAttribute("value");
      this.report(WORDS.computing);
      const texts = this.state.step === "compare" ? [this.state.text, this.state.other] : [text];
      for (const one of texts.map((all) => all.trim())) {
        if (!one || sentences.has(one)) continue;
        sentences.set(one, computed(await next(() => model.sentence(one))));
      }
      this.wants = 0;
    } catch (error) {
      this.#failed(error);
    } finally {
      this.busy = undefined;
      if (!this.failed) await this.#count().catch(() => {});
      this.refresh();
      if (this.isConnected) this.redraw();
    }
  }

  #failed(error) {
    this.failed = true;
    this.report(error instanceof Lost ? WORDS.lost : script.said(error).text);
  }

  #remember() {
    const kept = Object.fromEntries(KEPT.map((name) => [name, this.state[name]]));
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      /* storage refused: the address has it */
    }
  }

  #remembered() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY)) ?? {};
      const texts = Object.entries(kept).filter(
        ([name, text]) => KEPT.includes(name) && typeof text === "string",
      );
      const state = { ...this.state, ...Object.fromEntries(texts) };
      if (Sentence.valid(state)) this.state = state;
    } catch {
      /* nothing kept, or storage refused */
    }
  }

  // ---- The views ----

  #views() {
    const grid = (title, kind, more = {}) => this.grid({ title, kind, ...more });
    this.map = grid(WORDS.map, "weights", {
      compact: true,
      rowTitle: WORDS.asksAsked,
      act: (i) => this.set({ word: i }),
    });
    this.row = grid("a", "weights");
    this.q = grid("q", "q", { compact: true });
    this.k = grid("K", "k", { compact: true });
    this.scores = grid(WORDS.scaled, "scores", { from: () => WORDS.fromScaled });
    this.weights = grid("a", "weights", { from: () => WORDS.fromSoftmax });
    this.adds = grid(WORDS.adds, "v", { compact: true });
    this.push = grid(WORDS.push, "scores", { from: () => WORDS.fromPush });
    this.cosines = grid(WORDS.cosines, "scores", {
      compact: true,
      act: (i) => this.set({ word: i }),
    });
    this.chart = chart();
    this.rolesList = h("ul", { class: "play__roles" });
    this.hint = h("p", { class: "play__hint" });
    this.lack = h("p", { class: "play__hint" });
    const picker = this.pick("word", {
      label: WORDS.word,
      chosen: () => this.at,
      act: (word) => this.set({ word }),
      options: () => this.shown?.words.map(({ text }, i) => [i, text]) ?? [],
    });
    picker.classList.add("play__choice--long");
    this.sliders = h(
      "div",
      { class: "play__row" },
      this.slider("layer", { label: WORDS.layer, min: 0, max: 11 }),
      this.slider("head", { label: WORDS.head, min: 0, max: 11 }),
    );
    this.headSlider = this.sliders.lastChild;
    this.groups = this.#groups();
    this.cutting = this.#cutting();
    this.panels = {
      look: [this.map.node, this.row.node],
      qkv: [
        h("div", { class: "play__wide" }, this.q.node, this.k.node),
        h("div", { class: "play__twin" }, this.scores.node, this.weights.node),
      ],
      values: [this.row.node, this.push.node, this.adds.node],
      path: [this.chart],
      cut: [this.chart],
      roles: [this.rolesList, this.map.node],
      compare: [this.cosines.node],
    };
    this.stage = h("div", { class: "play__row play__pair" });
    return [
      this.choice("step", {
        label: WORDS.step,
        options: STEPS.map((step) => [step, WORDS[step]]),
      }),
      this.hint,
      this.groups,
      this.second,
      desk(picker, this.sliders, this.cutting),
      this.lack,
      this.stage,
    ];
  }

  #groups() {
    this.presets = h(
      "select",
      {
        onchange: () => {
          const one = this.data.groups[this.presets.value];
          if (one) this.#use(one.groups[0], one.groups[1]);
        },
      },
      h("option", { value: "" }, WORDS.ownWords),
      this.data.groups.map(({ word, senses }, i) =>
        h("option", { value: i }, `${senses.map(inLanguage).join(" / ")}: ${word}`),
      ),
    );
    const field = (label) =>
      h("input", { type: "text", maxlength: LONGEST, autocomplete: "off", "aria-label": label });
    const fields = [field(WORDS.first), field(WORDS.second)];
    this.controls.push(() => {
      const { groups, preset } = this.#senses();
      this.presets.value = preset < 0 ? "" : preset;
      for (const [i, input] of fields.entries())
        if (input !== document.activeElement) input.value = groups[i];
    });
    return h(
      "form",
      {
        class: "play__groups",
        onsubmit: (event) => {
          event.preventDefault();
          const [first, second] = fields.map((input) => group(input.value));
          if ([first, second].some(({ length }) => length < 1 || length > MOST)) {
            this.report(WORDS.groupSizes);
            return;
          }
          this.#use(first.join(" "), second.join(" "));
        },
      },
      h("label", { class: "play__menu" }, h("span", {}, WORDS.groups), this.presets),
      h("label", { class: "play__field" }, h("span", {}, WORDS.first), fields[0]),
      h("label", { class: "play__field" }, h("span", {}, WORDS.second), fields[1]),
      h("button", { type: "submit" }, WORDS.fromWords),
    );
  }

  #use(first, second) {
    this.failed = false;
    this.asked.clear();
    this.set({ first, second });
  }

  #cutting() {
    this.hide = h("select", { onchange: () => this.set({ hide: Number(this.hide.value) }) });
    return h(
      "div",
      { class: "play__row" },
      h("label", { class: "play__menu" }, h("span", {}, WORDS.hide), this.hide),
      this.menu("where", { label: WORDS.where, options: Object.entries(PLACES) }),
      this.toggle("every", { label: WORDS.every }),
    );
  }

  /** The two groups of words in use: the reader's, or ours that fit the word. */
  #senses() {
    const { first, second } = this.state,
      all = this.data.groups;
    let preset = all.findIndex(({ groups }) => groups[0] === first && groups[1] === second);
    if (!first || !second) {
      const word = plain(this.shown?.words[this.at]?.text ?? "");
      preset = Math.max(
        all.findIndex((one) => one.word === word),
        all.findIndex((one) => han(one.word) === (language === "zh")) *
          Number(!all.some((one) => one.word === word)),
      );
    }
    if (preset < 0) {
      const name = (text) => group(text)[0] ?? "";
      return { preset, groups: [first, second], names: [name(first), name(second)] };
    }
    const { groups, senses } = all[preset];
    return { preset, groups, names: senses.map(inLanguage) };
  }

  /** To the roles with the head of the first of them, whose map is there; to cosines at the end. */
  set(change, quiet = false) {
    if (change.step === "roles" && this.state.step !== "roles" && this.shown) {
      const [{ layer, head }] = this.#roles(this.shown);
      change = { layer, head, ...change };
    }
    if (change.step === "compare" && this.state.step !== "compare")
      change = { layer: 11, ...change };
    super.set(change, quiet);
    if (KEPT.some((name) => name in change)) this.#remember();
  }

  #roles(shown) {
    return (shown.roles ??= roles(shown.map, shown.layers, shown.heads));
  }

  // ---- What takes a while ----

  /** A value once it is there; the figure is drawn again when it comes. */
  soon(name, make) {
    const kept = this.asked.get(name);
    if (kept) return kept.value;
    const entry = { value: undefined };
    this.asked.set(name, entry);
    make()
      .then((value) => {
        entry.value = value;
        if (value === undefined) this.asked.delete(name); // the reader had gone on
        else if (this.isConnected) this.redraw();
        if (this.isConnected && value === undefined) this.refresh();
      })
      .catch((error) => this.#failed(error));
    return undefined;
  }

  /** q, k and v of a head, (n, 32) each, with the scaled scores; W_O's rows where computed. */
  #vectors(shown, layer, head) {
    if (shown.recorded) {
      const found = shown.recorded.vectors[`${layer},${head}`];
      if (!found) return null;
      const { q, k } = found;
      return { ...found, scores: q.map((x) => k.map((y) => dot(x, y) / Math.sqrt(D_K))) };
    }
    return this.soon(`vectors ${shown.text} ${layer} ${head}`, () =>
      next(async () => {
        const now = this.state;
        if (now.layer !== layer || now.head !== head) return undefined;
        const { q, k, v, scores, out } = await shown.live.vectors(layer, head);
        return {
          q: rows(q, D_K),
          k: rows(k, D_K),
          v: rows(v, D_K),
          scores: rows(scores, shown.pieces.length),
          out: rows(out, D_MODEL),
        };
      }),
    );
  }

  /** Whether both groups have the same words. */
  #same() {
    const [first, second] = this.#senses().groups.map((text) => group(text).sort().join(" "));
    return first === second;
  }

  /** The line between the two groups. */
  #line() {
    const { groups } = this.#senses();
    const name = groups.join(" | ");
    if (lines.has(name)) return lines.get(name);
    if (!model || this.#same()) return undefined;
    return this.soon(`line ${name}`, async () => {
      const both = groups.map(group);
      const all = both.flat();
      const found = [];
      for (const [i, word] of all.entries()) {
        const now = this.#senses().groups.join(" | ");
        if (now !== name) return undefined;
        this.report(WORDS.lineOf(i + 1, all.length));
        const [before, text] = frame(word);
        const one = await next(() => model.sentence(before + text));
        const own = [...one.pieces.entries()]
          .filter(([, piece]) => piece.word !== null && piece.end > before.length)
          .map(([at]) => at);
        found.push(vectors(one, own));
      }
      this.report(WORDS.lineHere);
      const line = lineBetween(found.slice(0, both[0].length), found.slice(both[0].length));
      lines.set(name, line);
      return line;
    });
  }

  /** The way of the chosen word between the two groups. */
  #way(shown, line) {
    const { recorded: kept } = shown,
      { own } = shown.words[this.at];
    if (kept) {
      const same = this.#recordedSenses(shown) && kept.own.includes(own[0]);
      return same ? kept.path.map((x) => x / 100) : null;
    }
    return line && way(vectors(shown.live, own), line);
  }

  /** Whether the groups are those for which paths and pushes are recorded. */
  #recordedSenses({ recorded: kept }) {
    const { preset } = this.#senses();
    return this.data.groups[preset]?.word === kept.known.word;
  }

  // ---- Drawing ----

  draw() {
    const text = this.state.text.trim();
    const found = sentences.get(text) ?? this.opened.get(text);
    if (found) this.shown = found;
    else {
      const one = this.data.sentences.find((sentence) => sentence.text === text);
      // A text that nobody has computed yet: the sentence before it stays, at first one of ours.
      const wanted = one ?? (this.shown ? null : this.data.sentences[3]);
      if (wanted) {
        recorded(wanted, this.data).then((shown) => {
          this.opened.set(wanted.text, shown);
          if (!this.isConnected) return;
          if (this.state.text.trim() === wanted.text || !this.shown) this.shown = shown;
          this.redraw();
        });
        if (!this.shown) return "";
      }
    }
    const { shown } = this,
      { word } = this.state;
    const mine = shown.text === text; // the word is one of this sentence
    this.at = mine && word >= 0 && word < shown.words.length ? word : shown.chosen;
    const { step } = this.state;
    this.hint.textContent = HINTS[STEPS.indexOf(step)];
    this.groups.hidden = !["path", "cut"].includes(step) || Boolean(shown.recorded && !model);
    this.second.hidden = step !== "compare" || this.missing === null;
    this.cutting.hidden = step !== "cut";
    this.sliders.hidden = step === "path" || (step === "cut" && this.state.where === "all");
    this.headSlider.hidden = step === "compare" || (step === "cut" && this.state.where === "layer");
    for (const node of Object.values(this.panels).flat()) node.hidden = false;
    this.lack.textContent = "";
    this.stage.removeAttribute("data-waiting");
    const said = this[`draw_${step}`](shown);
    const panels = this.panels[step].filter((node) => !node.hidden);
    if (
      panels.some((node, i) => this.stage.childNodes[i] !== node) ||
      panels.length !== this.stage.childNodes.length
    )
      this.stage.replaceChildren(...panels);
    this.refresh();
    return said;
  }

  /** What was drawn stays, faint, until the next comes. */
  waits() {
    this.stage.toggleAttribute("data-waiting", true);
    const there = this.panels[this.state.step].filter((node) => node.parentNode === this.stage);
    for (const node of this.panels[this.state.step]) node.hidden = !there.includes(node);
    return WORDS.waiting;
  }

  /** Nothing of this view can be drawn. */
  lacks(why) {
    for (const node of this.panels[this.state.step]) node.hidden = true;
    this.lack.textContent = why;
    return why;
  }

  get head() {
    return `L${this.state.layer}H${this.state.head}`;
  }

  fillMap(shown) {
    const { layer, head } = this.state,
      all = shown.words;
    const map = byWord(
      shown.map(layer, head),
      all.map(({ own }) => own),
    );
    this.wide(this.map, all.length);
    this.map.fill(map, {
      rows: all.map((word, i) =>
        few(all.length) || word.text.endsWith(` ${i}`) ? word.text : `${word.text} ${i}`,
      ),
      columns: all.map((word, i) => (few(all.length) ? word.text : i)),
      chosen: (i) => i === this.at,
    });
    return map[this.at];
  }

  /** Few words: numbers in the cells and words above them. */
  wide(grid, n) {
    grid.node.querySelector("table").classList.toggle("play__grid--compact", !few(n));
  }

  /** “苹果” gives 0.35 to “手机”, … */
  gives(row, shown) {
    const parts = [...row.entries()]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 3)
      .map(([j, weight]) => WORDS.givesTo(number(weight), shown.words[j].text));
    return WORDS.gives(shown.words[this.at].text, WORDS.list(parts));
  }

  column(grid, values, shown, more = {}) {
    grid.fill(
      values.map((x) => [x]),
      {
        rows: shown.words.map(({ text }) => text),
        columns: [shown.words[this.at].text],
        ...more,
      },
    );
  }

  draw_look(shown) {
    const row = this.fillMap(shown);
    this.column(this.row, row, shown);
    this.row.node.hidden = few(shown.words.length); // it stands in the map
    this.map.node.hidden = shown.words.length > 60; // more cells than anybody reads
    const tokens = shown.words[this.at].own.map((i) => shown.pieces[i]);
    const of = tokens.length > 1 ? (language === "zh" ? "" : " ") + WORDS.tokens(tokens) : "";
    return WORDS.summaryLook(this.head, this.gives(row, shown)) + of;
  }

  /** Queries, keys and scores are those of tokens. */
  draw_qkv(shown) {
    const { layer, head } = this.state;
    const inside = this.#vectors(shown, layer, head);
    if (!inside) {
      return shown.recorded ? this.lacks(WORDS.keptHeads(shown.recorded.kept)) : this.waits();
    }
    const { own } = shown.words[this.at],
      { pieces } = shown;
    const map = shown.map(layer, head);
    const columns = own.map((i) => pieces[i]);
    this.q.fill(
      own.map((i) => inside.q[i]),
      { rows: columns },
    );
    this.k.fill(inside.k, { rows: pieces });
    this.scores.fill(transpose(own.map((i) => inside.scores[i])), { rows: pieces, columns });
    this.weights.fill(transpose(own.map((i) => map[i])), { rows: pieces, columns });
    const score = inside.scores[own[0]];
    const best = score.indexOf(Math.max(...score));
    const row = byWord(
      map,
      shown.words.map((word) => word.own),
    )[this.at];
    return WORDS.summaryQkv(
      this.head,
      pieces[own[0]],
      pieces[best],
      number(score[best]),
      this.gives(row, shown),
    );
  }

  draw_values(shown) {
    const { layer, head } = this.state,
      { own } = shown.words[this.at];
    const all = shown.words.map((word) => word.own);
    const inside = this.#vectors(shown, layer, head);
    const tokens = meanRow(shown.map(layer, head), own);
    this.column(this.row, byWord(shown.map(layer, head), all)[this.at], shown);
    let said = "";
    this.adds.node.hidden = !inside;
    if (inside) {
      const parts = added(tokens, inside.v, all);
      const total = parts[0].map((_, c) => parts.reduce((sum, part) => sum + part[c], 0));
      this.adds.fill([...parts, total], {
        rows: [...shown.words.map(({ text }) => text), WORDS.sum],
      });
      const sizes = parts.map((part) => Math.hypot(...part));
      const most = sizes.indexOf(Math.max(...sizes));
      const word = shown.words[this.at].text;
      said = WORDS.summaryValues(this.head, word, shown.words[most].text, number(sizes[most]));
    } else if (shown.recorded) this.lack.textContent = WORDS.keptHeads(shown.recorded.kept);
    else return this.waits();
    const pushes = this.#pushes(shown, tokens, inside);
    this.push.node.hidden = !pushes;
    if (!pushes)
      return said || WORDS.summaryLook(this.head, this.gives(tokensOf(tokens, all), shown));
    this.column(this.push, pushes, shown, {
      texts: pushes.map((x) => [signed(x)]),
      limit: Math.max(0.15, ...pushes.map(Math.abs)),
    });
    const most = pushes.reduce(
      (best, x, i) => (Math.abs(x) > Math.abs(pushes[best]) ? i : best),
      0,
    );
    const side = this.#senses().names[pushes[most] > 0 ? 0 : 1];
    return said + WORDS.summaryPush(shown.words[most].text, signed(pushes[most]), side);
  }

  /** What each word's value adds along the line; null where that is not known. */
  #pushes(shown, tokens, inside) {
    const { layer, head } = this.state,
      all = shown.words.map((word) => word.own);
    if (shown.recorded) {
      const known = shown.recorded.own.includes(shown.words[this.at].own[0]);
      if (!known || !this.#recordedSenses(shown)) return null;
      return tokensOf(shown.recorded.pushes[layer][head], all);
    }
    const line = this.#line();
    if (!line || !inside) return null;
    const { direction } = line[layer + 1];
    return tokensOf(
      tokens.map((weight, j) => weight * dot(inside.out[j], direction)),
      all,
    );
  }

  draw_path(shown, cut) {
    const line = shown.live && this.#line();
    const found = this.#way(shown, line);
    if (!found && shown.live && this.#same()) return this.lacks(WORDS.sameGroups);
    if (!found) return shown.live ? this.waits() : this.lacks(WORDS.needsModel);
    const names = /** @type {[string, string]} */ (this.#senses().names);
    const second = Boolean(shown.recorded?.sense);
    draw(this.chart, {
      way: found,
      other: cut,
      senses: names,
      second,
      layer: this.state.step === "cut" && this.state.where !== "all" ? this.state.layer : undefined,
    });
    const [from, to] = [found[0], found.at(-1)].map((x) => number(x));
    return WORDS.summaryPath(shown.words[this.at].text, from, to, ...names);
  }

  draw_cut(shown) {
    const { where, layer, head, every } = this.state,
      all = shown.words;
    const hide =
      this.state.hide === this.at || this.state.hide >= all.length ? OTHERS : this.state.hide;
    const options = [
      h("option", { value: OTHERS, selected: hide === OTHERS }, WORDS.others),
      ...all.flatMap(({ text }, j) =>
        j === this.at ? [] : [h("option", { value: j, selected: hide === j }, text)],
      ),
    ];
    this.hide.replaceChildren(...options);
    const { own } = all[this.at];
    let cut;
    if (shown.recorded) {
      if (where === "all" && !every)
        cut = hide === OTHERS ? shown.recorded.alone : this.#hiddenOf(shown, all[hide].own);
      cut &&= cut.map((x) => x / 100);
    } else {
      const line = this.#line();
      cut =
        line &&
        this.soon(
          `cut ${shown.text} ${this.at} ${hide} ${where} ${layer} ${head} ${every} ${this.#senses().groups}`,
          () =>
            next(async () => {
              const now = this.state;
              if (now.layer !== layer || now.head !== head || now.where !== where) return undefined;
              const words_ = every ? all.map((_, i) => i) : [this.at];
              const hidden = words_.flatMap((i) => {
                const seen =
                  hide === OTHERS ? all.filter((_, j) => j !== i) : i === hide ? [] : [all[hide]];
                return pairs(
                  all[i].own,
                  seen.flatMap((one) => one.own),
                );
              });
              const found = await shown.live.cut({
                layer: where === "all" ? null : layer,
                head: where === "head" ? head : null,
                tokens: hidden,
              });
              return way(vectors(found, own), line);
            }),
        );
    }
    const said = this.draw_path(shown, cut);
    if (said === WORDS.waiting || this.chart.hidden) return said;
    if (!cut) {
      if (shown.live) return this.waits();
      this.lack.textContent = WORDS.needsModel;
      return said;
    }
    const whole = this.#way(shown, shown.live && this.#line()).at(-1),
      end = cut.at(-1);
    const place = { head: this.head, layer: `L${layer}`, all: WORDS.everywhere }[where];
    const what = hide === OTHERS ? WORDS.others : quoted(all[hide].text);
    return WORDS.summaryCut(
      all[this.at].text,
      what,
      place,
      number(whole),
      number(end),
      signed(end - whole),
    );
  }

  /** The recorded path with one word hidden, where the word is one token. */
  #hiddenOf(shown, own) {
    return own.length === 1 && shown.recorded.own.includes(shown.words[this.at].own[0])
      ? shown.recorded.hidden[own[0]]
      : undefined;
  }

  draw_roles(shown) {
    const all = this.#roles(shown);
    this.fillMap(shown);
    const { layer, head } = this.state;
    this.rolesList.replaceChildren(
      ...all.map((one) =>
        h(
          "li",
          {},
          h("span", {}, `${ROLES[one.role]} `),
          h(
            "button",
            {
              type: "button",
              "aria-pressed": String(one.layer === layer && one.head === head),
              onclick: () => {
                this.set({ layer: one.layer, head: one.head });
                this.rolesList.querySelectorAll("button")[all.indexOf(one)]?.focus();
              },
            },
            `L${one.layer}H${one.head} ${number(one.mean)}`,
          ),
        ),
      ),
    );
    const now = all.find((one) => one.layer === layer && one.head === head);
    const one = now ?? all[0];
    return WORDS.summaryRoles(ROLES[one.role], `L${one.layer}H${one.head}`, number(one.mean));
  }

  draw_compare(shown) {
    const other = sentences.get(this.state.other.trim());
    if (!shown.live || !other) return this.lacks(WORDS.needsModel);
    const centres = this.soon("centres", async () => {
      const file = new URL("pretrained-centre.json", new URL(this.dataset.src, location.href));
      const stored = await fetched(file);
      const of = async ({ vectors: packed, steps }) =>
        shaped(await inflate(packed, "int16"), [13, D_MODEL], 1 / steps);
      return { zh: await of(stored.zh), en: await of(stored.en) };
    });
    if (!centres) return this.waits();
    const after = this.state.layer + 1;
    const read = (one) => ({
      names: one.words.filter(({ inText }) => inText),
      centre: centres[han(one.text) ? "zh" : "en"][after],
    });
    const [a, b] = [read(shown), read(other)];
    const at = (one, { own }) => vectors(one.live, own)[after];
    const table = centredCosines(
      a.names.map((word) => at(shown, word)),
      a.centre,
      b.names.map((word) => at(other, word)),
      b.centre,
    );
    const chosen = Math.max(0, a.names.indexOf(shown.words[this.at]));
    this.wide(this.cosines, b.names.length);
    this.cosines.fill(table, {
      rows: a.names.map(({ text }) => text),
      columns: b.names.map(({ text }, j) => (few(b.names.length) ? text : j)),
      limit: 1,
      chosen: (i) => i === chosen,
    });
    if (!few(b.names.length))
      this.lack.textContent = b.names.map(({ text }, j) => `${j} ${text}`).join(" · ");
    const row = table[chosen],
      best = row.indexOf(Math.max(...row));
    return WORDS.summaryCompare(
      this.state.layer,
      a.names[chosen].text,
      b.names[best].text,
      number(row[best]),
    );
  }
}

/** Numbers of tokens, summed over those of each word. */
const tokensOf = (numbers, all) => all.map((own) => own.reduce((sum, j) => sum + numbers[j], 0));

// Without it (browsers before 2023) the still picture stays.
if ("DecompressionStream" in globalThis) customElements.define("qkv-sentence", Sentence);
