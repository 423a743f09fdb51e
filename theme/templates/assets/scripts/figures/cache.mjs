// kv-cache: how many bytes the keys and values of a model take, and whether they fit beside it.
import { words } from "../language.mjs";
import { written } from "./bytes.mjs";
import { Figure, desk, h, number } from "./core.mjs";

const GIB = 2 ** 30;

const WORDS = words({
  model: { zh: "模型", en: "model" },
  own: { zh: "自己的模型", en: "a model of your own" },
  kept: { zh: "每个词元留下", en: "kept for a token" },
  two: { zh: "键和值", en: "keys and values" },
  one: { zh: "一个向量（MLA）", en: "one vector (MLA)" },
  layers: { zh: "层数", en: "layers" },
  heads: { zh: "KV 头数", en: "KV heads" },
  width: { zh: "每头维数", en: "d_head" },
  latent: { zh: "向量维数", en: "dimensions of the vector" },
  bits: { zh: "每个数", en: "a number takes" },
  ofBits: { zh: (bits) => `${bits} 位`, en: (bits) => `${bits} bits` },
  tokens: { zh: "上下文（词元）", en: "context (tokens)" },
  batch: { zh: "同时几条序列", en: "sequences at once" },
  weights: { zh: "参数", en: "model" },
  cache: { zh: "缓存", en: "cache" },
  card: {
    zh: (card, verdict) => `${card} GiB 的卡：${verdict}`,
    en: (card, verdict) => `card of ${card} GiB: ${verdict}`,
  },
  fits: {
    zh: (free, alone) => `${alone ? "只看缓存，" : ""}放得下，还剩 ${free}`,
    en: (free, alone) => `${alone ? "the cache alone " : ""}fits, ${free} left`,
  },
  over: {
    zh: (excess) => `放不下，差 ${excess}`,
    en: (excess) => `does not fit, ${excess} too much`,
  },
  formula: {
    zh: ({ vectors, layers, heads, width, bits, tokens, batch }) =>
      `${vectors === 2 ? "2 × " : ""}${layers} 层 × ${vectors === 2 ? `${heads} 个 KV 头 × ` : ""}` +
      `${width} 维 × ${number(bits / 8, bits < 8 ? 1 : 0)} 字节 × ${grouped(tokens)} 个词元 × ` +
      `${batch} 条序列`,
    en: ({ vectors, layers, heads, width, bits, tokens, batch }) =>
      `${vectors === 2 ? "2 × " : ""}${layers} layers × ` +
      `${vectors === 2 ? `${heads} KV heads × ` : ""}${width} dimensions × ` +
      `${number(bits / 8, bits < 8 ? 1 : 0)} bytes × ${grouped(tokens)} tokens × ` +
      `${batch} ${batch === 1 ? "sequence" : "sequences"}`,
  },
  summary: {
    zh: (token, sequence, whole, share) =>
      `每个词元 ${token}，每条序列 ${sequence}，一共 ${whole}${share}。`,
    en: (token, sequence, whole, share) =>
      `${token} a token, ${sequence} a sequence, ${whole} in all${share}.`,
  },
  share: {
    zh: (times) => `，是参数的 ${times} 倍`,
    en: (times) => `: ${times} times the model`,
  },
  room: {
    zh: (card, many) => `放下参数之后，${card} GiB 的卡还能存 ${many} 个词元。`,
    en: (card, many) => ` Beside the model, a card of ${card} GiB has room for ${many} tokens.`,
  },
  none: {
    zh: (card) => `${card} GiB 的卡连参数也放不下。`,
    en: (card) => ` A card of ${card} GiB does not even hold the model.`,
  },
});

const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/** Bytes of a token, of a sequence and of all. */
export const taken = ({ vectors, layers, heads, width, bits, tokens, batch }) => {
  const token = (vectors * layers * heads * width * bits) / 8;
  return { token, sequence: token * tokens, whole: token * tokens * batch };
};

const shape = ({ layers, kv_heads, d_head, vectors }) => ({
  l: layers,
  h: kv_heads,
  d: d_head,
  v: vectors,
});

const within = (value, least, most, step = 1) =>
  Number.isInteger(value / step) && value >= least && value <= most;

class Cache extends Figure {
  // layers, KV heads, d_head, vectors kept for a head, bits, tokens and sequences as powers of 2
  static initial = { l: 32, h: 8, d: 128, v: 2, b: 16, t: 13, n: 4 };
  static valid = ({ l, h: heads, d, v, b, t, n }) =>
    within(l, 1, 128) &&
    within(heads, 1, 128) &&
    within(d, 16, 576, 16) &&
    [4, 8, 16, 32].includes(b) &&
    (v === 2 || (v === 1 && heads === 1)) &&
    within(t, 7, 20) &&
    within(n, 0, 10);

  get initial() {
    const shown = this.data.models.find(({ model }) => model === this.data.shown);
    return { ...this.kind.initial, ...shape(shown) };
  }

  /** The model whose cache this is, if there is one. */
  get model() {
    const { l, h: heads, d, v } = this.state;
    return this.data.models.find(
      (row) => row.layers === l && row.kv_heads === heads && row.d_head === d && row.vectors === v,
    );
  }

  build() {
    this.bars = this.data.cards.map((card) => {
      const name = h("p", { class: "play__cardname" });
      const parts = ["weights", "cache"].map((kind) => h("span", { "data-kind": kind }));
      const edge = h("span", { class: "play__edge" });
      const bar = h("div", { class: "play__card", "aria-hidden": "true" }, parts, edge);
      return { card, name, parts, edge, node: h("div", {}, name, bar) };
    });
    this.heads = this.slider("h", { label: WORDS.heads, min: 1, max: 128 });
    this.width = this.slider("d", { label: WORDS.width, min: 16, max: 576, step: 16 });
    return [
      desk(
        this.pick("m", {
          label: WORDS.model,
          options: () => [
            ...this.data.models.map(({ model }) => [model, model]),
            ...(this.model ? [] : [["", WORDS.own]]),
          ],
          chosen: () => this.model?.model ?? "",
          act: (name) => {
            const found = this.data.models.find(({ model }) => model === name);
            if (found) this.set(shape(found));
          },
        }),
        this.slider("t", {
          label: WORDS.tokens,
          min: 7,
          max: 20,
          show: (t) => grouped(2 ** t),
        }),
        this.slider("n", { label: WORDS.batch, min: 0, max: 10, show: (n) => 2 ** n }),
      ),
      ...this.bars.map(({ node }) => node),
      this.choice("b", {
        label: WORDS.bits,
        options: [32, 16, 8, 4].map((bits) => [bits, WORDS.ofBits(bits)]),
      }),
      this.pick("v", {
        label: WORDS.kept,
        options: () => [
          [2, WORDS.two],
          [1, WORDS.one],
        ],
        chosen: () => this.state.v,
        act: (v) => this.set(v === 1 ? { v, h: 1, d: 576 } : { v, h: 8, d: 128 }),
      }),
      this.slider("l", { label: WORDS.layers, min: 1, max: 128 }),
      this.heads,
      this.width,
      (this.formula = h("p", { class: "play__hint" })),
    ];
  }

  draw() {
    const { l: layers, h: heads, d: width, v: vectors, b: bits, t, n } = this.state;
    const given = { vectors, layers, heads, width, bits, tokens: 2 ** t, batch: 2 ** n };
    const { token, sequence, whole } = taken(given);
    const { model } = this;
    const weights = model ? model.parameters * model.bytes_per_parameter : 0;
    this.heads.hidden = vectors === 1;
    this.width.firstChild.textContent = vectors === 1 ? WORDS.latent : WORDS.width;
    for (const { card, name, parts, edge } of this.bars) {
      const memory = card * GIB,
        scale = 100 / Math.max(memory, weights + whole);
      const free = memory - weights - whole;
      const verdict = free >= 0 ? WORDS.fits(written(free), !model) : WORDS.over(written(-free));
      name.textContent = WORDS.card(card, verdict);
      edge.style.setProperty("--share", `${memory * scale}%`);
      [weights, whole].forEach((part, i) => {
        const share = part * scale;
        parts[i].style.setProperty("--share", `${share}%`);
        const label = [WORDS.weights, WORDS.cache][i];
        parts[i].replaceChildren(...(share > 30 ? [h("b", {}, `${label} ${written(part)}`)] : []));
      });
    }
    this.formula.textContent = WORDS.formula(given);
    const times = whole / weights;
    const share = model ? WORDS.share(number(times, times < 0.1 ? 3 : times < 10 ? 1 : 0)) : "";
    const [card] = this.data.cards,
      room = Math.floor((card * GIB - weights) / token);
    const rest = !model ? "" : room < 1 ? WORDS.none(card) : WORDS.room(card, grouped(room));
    return WORDS.summary(written(token), written(sequence), written(whole), share) + rest;
  }
}

customElements.define("qkv-cache", Cache);
