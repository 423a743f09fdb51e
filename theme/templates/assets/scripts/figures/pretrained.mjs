// pretrained: a sentence in a real model. Every attention weight, the queries, keys and values of
// some heads, and the way of one word between its two senses, layer by layer.
import { language, words } from "../language.mjs";
import { Figure, Lost, desk, fetched, h, number } from "./core.mjs";
import { argmax, attention } from "./maths.mjs";
import { inflate, shaped } from "./unpack.mjs";
import { chart, draw } from "./ways.mjs";

const WORDS = words({
  e5Chinese: {
    zh: "中文句子，multilingual-e5-small",
    en: "Chinese sentences, multilingual-e5-small",
  },
  e5English: {
    zh: "英文句子，multilingual-e5-small",
    en: "English sentences, multilingual-e5-small",
  },
  minilm: { zh: "英文句子，all-MiniLM-L6-v2", en: "English sentences, all-MiniLM-L6-v2" },
  whoseQuery: { zh: "谁的查询", en: "whose query" },
  layer: { zh: "层", en: "layer" },
  head: { zh: "头", en: "head" },
  attentionMap: { zh: "注意力图", en: "attention map" },
  queryKey: { zh: "查询 ↓ 键 →", en: "query ↓ key →" },
  fromScores: {
    zh: "注意力权重：缩放后的分数那一列的 softmax",
    en: "attention weight: softmax of that column of scaled scores",
  },
  scores: { zh: "缩放后的分数", en: "scaled scores" },
  push: { zh: "推力", en: "push" },
  fromValues: { zh: "注意力权重 × (v·W_O)·u", en: "attention weight × (v·W_O)·u" },
  inside: { zh: "这个头的 q、K、V", en: "q, K and V of this head" },
  sentence: { zh: "句子", en: "sentence" },
  languageModel: { zh: "语言和模型", en: "language and model" },
  hide: { zh: "不让这个词看见", en: "hide from the word" },
  wholeMap: { zh: "这个头的整张注意力图", en: "the whole attention map of this head" },
  lost: {
    zh: "数据没有取到。检查网络后再选一次。",
    en: "The data did not arrive. Check the connection and choose again.",
  },
  nothing: { zh: "（都看得见）", en: "(nothing)" },
  allOtherWords: { zh: "整句其他词", en: "all other words" },
  noteInside: {
    zh: (data) =>
      `a 是注意力权重。q、K、V 是这个头的（各 ${data.d_k} 个分量，存成 8 位二进制）；` +
      `缩放后的分数是 q·k/√${data.d_k}，注意力权重由它们重新算出。`,
    en: (data) =>
      `a: attention weights. q, K and V are this head's (${data.d_k} components each, ` +
      `rounded to 8 bits); the scaled scores are q·k/√${data.d_k}, and the attention weights are ` +
      "computed from them.",
  },
  noteHeads: {
    zh: (data) =>
      `a 是注意力权重。带有 q、K、V 的头：${data.kept.map(([l, k]) => `L${l}H${k}`).join("、")}。`,
    en: (data) =>
      "a: attention weights. Heads that come with their q, K and V: " +
      `${data.kept.map(([l, k]) => `L${l}H${k}`).join(", ")}.`,
  },
  meanPush: {
    zh: "推力是这个词各个词元的平均。",
    en: " The push is the mean over the tokens of the word.",
  },
  attentionWeightsPushes: {
    zh: "注意力权重和推力取自什么也没遮住的时候。",
    en: " Attention weights and pushes are those of the run with nothing hidden.",
  },
  pushed: {
    zh: (pushes, most) => `，推力 ${signed(pushes[most])}`,
    en: (pushes, most) => `, pushed by ${signed(pushes[most])}`,
  },
  oneIs: { zh: "（1 是", en: " (1 is " },
  minusOneIs: { zh: "，−1 是", en: ", −1 is " },
  close: { zh: "）", en: ")" },
  hidden: {
    zh: (blocked) => `；遮住后是 ${number(blocked.at(-1) / 100)}`,
    en: (blocked) => `; with that hidden, at ${number(blocked.at(-1) / 100)}`,
  },
  summary: {
    zh: (layer, head, pieces, word, most, row, pushed, data, target, where, after) =>
      `L${layer}H${head} 里，“${pieces[word]}”看“${pieces[most]}”最多，` +
      `${number(row[most])}${pushed}。走完 ${data.layers} 层，“${target}”在 ` +
      `${where}${after}。`,
    en: (layer, head, pieces, word, most, row, pushed, data, target, where, after) =>
      `In L${layer}H${head} “${pieces[word]}” looks most at “${pieces[most]}”: ` +
      `${number(row[most])}${pushed}. After ${data.layers} layers “${target}” is at ` +
      `${where}${after}.`,
  },
});

const FILES = [
  ["pretrained-e5-zh", WORDS.e5Chinese],
  ["pretrained-e5-en", WORDS.e5English],
  ["pretrained-minilm-en", WORDS.minilm],
];
/** Of a name as the data have it, in Chinese and in English, the page's. */
const inLanguage = ([zh, en]) => ({ zh, en })[language];
const [NOTHING, ALL] = [-1, -2];
const signed = (x) => (Number(x.toFixed(2)) > 0 ? "+" : "") + number(x);

/**
 * A sentence with its numbers as arrays: weights[layer][head] (n, n), parts[layer][head] (n,), and
 * q, K and V of the heads that are kept, by "layer,head".
 */
const open = async (sentence, { layers, heads, kept, d_k }) => {
  const n = sentence.pieces.length;
  const [weights, parts, ...inside] = await Promise.all([
    inflate(sentence.weights, "uint8"),
    inflate(sentence.parts, "int16"),
    ...sentence.qkv.map(({ numbers }) => inflate(numbers, "int8")),
  ]);
  const matrices = inside.map((flat, i) => shaped(flat, [n, d_k], 1 / sentence.qkv[i].steps));
  return {
    weights: shaped(weights, [layers, heads, n, n], 1 / 100),
    parts: shaped(parts, [layers, heads, n], 1 / 1000),
    qkv: Object.fromEntries(
      kept.map((head, i) => [String(head), matrices.slice(3 * i, 3 * i + 3)]),
    ),
  };
};

class Pretrained extends Figure {
  static initial = { data: "", s: 3, layer: 11, head: 0, word: NOTHING, hide: NOTHING };
  static valid = ({ data, s, layer, head, word, hide }) =>
    FILES.some(([name]) => name === data) &&
    [s, layer, head, word, hide].every(Number.isInteger) &&
    s >= 0 &&
    layer >= 0 &&
    head >= 0 &&
    word >= -1 &&
    hide >= ALL;

  get initial() {
    return { ...Pretrained.initial, data: `pretrained-e5-${language}` };
  }

  build() {
    this.files = { [this.initial.data]: Promise.resolve(this.data) };
    this.sentence = h("select", {
      onchange: () => this.set({ s: this.sentence.selectedIndex, word: NOTHING, hide: NOTHING }),
    });
    this.hide = h("select", { onchange: () => this.set({ hide: Number(this.hide.value) }) });
    this.chart = chart();
    this.words = this.pick("word", {
      label: WORDS.whoseQuery,
      chosen: () => this.shown?.word,
      act: (word) => this.set({ word }),
      options: () => this.shown?.sentence.pieces.map((piece, i) => [i, piece]) ?? [],
    });
    const layer = this.slider("layer", { label: WORDS.layer, min: 0, max: 11 });
    const head = this.slider("head", { label: WORDS.head, min: 0, max: 11 });
    this.layers = layer.querySelector("input");
    this.map = this.grid({
      title: WORDS.attentionMap,
      compact: true,
      rowTitle: WORDS.queryKey,
      act: (i) => this.set({ word: i }),
    });
    this.row = this.grid({
      title: "a",
      from: () => WORDS.fromScores,
    });
    this.scores = this.grid({
      title: WORDS.scores,
      kind: "scores",
      from: () => "q·k / √d_k",
    });
    this.push = this.grid({
      title: WORDS.push,
      kind: "scores",
      from: () => WORDS.fromValues,
    });
    this.q = this.grid({ title: "q", kind: "q", compact: true });
    this.k = this.grid({ title: "K", kind: "k", compact: true });
    this.v = this.grid({ title: "V", kind: "v", compact: true });
    this.note = h("p", {});
    this.inside = h(
      "details",
      {},
      h("summary", {}, WORDS.inside),
      this.q.node,
      this.k.node,
      this.v.node,
    );
    return [
      h("label", { class: "play__menu" }, h("span", {}, WORDS.sentence), this.sentence),
      this.menu("data", { label: WORDS.languageModel, options: FILES }),
      h("label", { class: "play__menu" }, h("span", {}, WORDS.hide), this.hide),
      this.chart,
      desk(layer, head),
      this.words,
      h("div", { class: "play__row" }, this.row.node, this.scores.node, this.push.node),
      this.note,
      this.inside,
      h("details", {}, h("summary", {}, WORDS.wholeMap), this.map.node),
    ];
  }

  set(change, quiet = false) {
    if (change.data !== undefined && change.data !== this.state.data) {
      change = { s: 3, word: NOTHING, hide: NOTHING, ...change };
      if (change.data === "pretrained-minilm-en") change = { layer: 5, head: 10, ...change };
      else if (this.state.data === "pretrained-minilm-en")
        change = { layer: 11, head: 0, ...change };
    }
    super.set(change, quiet);
  }

  draw() {
    const { data: name, s } = this.state,
      key = `${name} ${s}`;
    if (this.shown?.key === key) return this.show();
    const file = new URL(`${name}.json`, new URL(this.dataset.src, location.href));
    this.files[name] ??= fetched(file);
    this.files[name]
      .then(async (data) => {
        const at = Math.min(s, data.sentences.length - 1);
        const sentence = data.sentences[at];
        const opened = await open(sentence, data);
        if (`${this.state.data} ${this.state.s}` !== key) return; // the reader has gone on
        this.shown = { key, data, sentence, ...opened };
        this.redraw();
      })
      .catch((error) => {
        delete this.files[name];
        if (!(error instanceof Lost)) throw error;
        this.tell(WORDS.lost);
      });
    return this.summary ?? "";
  }

  show() {
    const { data, sentence, weights, parts, qkv } = this.shown,
      { pieces, own } = sentence;
    const n = pieces.length,
      layer = Math.min(this.state.layer, data.layers - 1),
      head = Math.min(this.state.head, data.heads - 1);
    const word = this.state.word < 0 || this.state.word >= n ? own[0] : this.state.word,
      mine = own.includes(word);
    const hide = this.state.hide >= n || own.includes(this.state.hide) ? NOTHING : this.state.hide;
    const { word: target, senses } = data.words[sentence.word],
      [first, second] = senses.map(inLanguage);
    this.layers.max = data.layers - 1;
    this.shown.word = word;

    const option = (value, text, chosen) => h("option", { value, selected: chosen }, text);
    this.sentence.replaceChildren(
      ...data.sentences.map((one, i) =>
        option(
          i,
          `${one.text}　${inLanguage(data.words[one.word].senses[one.sense])}`,
          one === sentence,
        ),
      ),
    );
    this.hide.replaceChildren(
      option(NOTHING, WORDS.nothing, hide === NOTHING),
      option(ALL, WORDS.allOtherWords, hide === ALL),
      ...pieces.flatMap((piece, j) => (own.includes(j) ? [] : [option(j, piece, hide === j)])),
    );

    const blocked = hide === ALL ? sentence.alone : hide >= 0 ? sentence.hidden[hide] : null;
    const of = (path) => path && path.map((x) => x / 100); // stored in hundredths
    draw(this.chart, {
      way: of(sentence.path),
      other: of(blocked),
      more: data.sentences
        .filter((one) => one !== sentence && one.word === sentence.word)
        .map((one) => ({ way: of(one.path), second: Boolean(one.sense) })),
      senses: [first, second],
      second: Boolean(sentence.sense),
      layer,
    });

    // One row of attention, taken apart.
    const map = weights[layer][head],
      inside = qkv[String([layer, head])];
    const found = inside && attention([inside[0][word]], inside[1], inside[2]);
    const row = found ? found.weights[0] : map[word];
    const column = (list) => list.map((x) => [x]);
    this.row.fill(column(row), { rows: pieces, columns: [pieces[word]] });
    this.map.fill(map, {
      rows: pieces.map((piece, i) => `${piece} ${i}`),
      columns: pieces.map((_, i) => i),
      chosen: (i) => i === word,
    });
    this.scores.node.hidden = this.inside.hidden = !inside;
    if (inside) {
      const [q, k, v] = inside;
      this.scores.fill(column(found.scores[0]), { rows: pieces, columns: [pieces[word]] });
      this.q.fill([q[word]], { rows: [pieces[word]] });
      this.k.fill(k, { rows: pieces });
      this.v.fill(v, { rows: pieces });
    }
    this.push.node.hidden = !mine;
    const pushes = parts[layer][head];
    if (mine)
      this.push.fill(column(pushes), {
        rows: pieces,
        columns: [target],
        texts: column(pushes.map(signed)),
        limit: Math.max(0.15, ...pushes.map(Math.abs)),
      });
    this.note.textContent =
      (inside ? WORDS.noteInside(data) : WORDS.noteHeads(data)) +
      (mine && own.length > 1 ? WORDS.meanPush : "") +
      (blocked ? WORDS.attentionWeightsPushes : "");

    const most = argmax(row),
      end = sentence.path.at(-1) / 100;
    const pushed = mine ? WORDS.pushed(pushes, most) : "";
    const where = `${number(end)}${WORDS.oneIs}${first}${WORDS.minusOneIs}${second}${WORDS.close}`;
    const after = blocked ? WORDS.hidden(blocked) : "";
    return WORDS.summary(layer, head, pieces, word, most, row, pushed, data, target, where, after);
  }
}

// Without it (browsers before 2023) the still picture stays.
if ("DecompressionStream" in globalThis) customElements.define("qkv-pretrained", Pretrained);
