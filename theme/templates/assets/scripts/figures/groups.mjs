// grouped-query-attention: which KV head a query head reads, and how much is kept for a token.
import { words } from "../language.mjs";
import { Figure, desk, h, number, svg } from "./core.mjs";

const WORDS = words({
  keyHeads: { zh: "KV 头数", en: "KV heads" },
  ofDeepSeek: { zh: "（128 个头）", en: " (128 heads)" },
  order: { zh: "哪些查询头共用", en: "who shares" },
  neighbours: { zh: "相邻的", en: "neighbours" },
  strided: { zh: "隔开的", en: "strided" },
  query: { zh: "查询头（从 0 数）", en: "query head (from 0)" },
  queryHeads: { zh: "查询头", en: "query heads" },
  below: { zh: "KV 头", en: "KV heads" },
  latent: { zh: "一个潜在向量，各头共用", en: "one latent vector, for all heads" },
  kept: { zh: "每个词元留下多少个数", en: "numbers kept for a token" },
  each: {
    zh: (i) => `查询头 ${i} 有自己的 KV 头。`,
    en: (i) => `Query head ${i} has a KV head of its own.`,
  },
  shares: {
    zh: (i, j, others) => `查询头 ${i} 读 KV 头 ${j}，一起读的还有 ${others.join("、")}。`,
    en: (i, j, others) => `Query head ${i} reads KV head ${j}, as do ${others.join(", ")}.`,
  },
  all: {
    zh: (i) => `查询头 ${i} 用自己的矩阵，从各头共用的潜在向量得到键和值。`,
    en: (i) =>
      `Query head ${i} makes keys and values, with matrices of its own, of the vector that all share.`,
  },
  amount: {
    zh: (many, share) => `每个词元留下 ${many} 个数，是 MHA 的 ${share}。`,
    en: (many, share) => ` ${many} numbers are kept for a token, ${share} of what MHA keeps.`,
  },
  whole: {
    zh: (many) => `每个词元留下 ${many} 个数，没有省。`,
    en: (many) => ` ${many} numbers are kept for a token: nothing is saved.`,
  },
});

/** The KV head that each query head reads. @param {number} heads @param {number} shared */
export const reads = (heads, shared, strided = false) =>
  Array.from({ length: heads }, (_, i) =>
    strided ? i % shared : Math.floor((i * shared) / heads),
  );

/** Numbers kept for a token in one layer; 0 KV heads stand for MLA. */
export const kept = (shared, { d_head, latent }) => (shared ? 2 * shared * d_head : latent);

const KINDS = [8, 4, 2, 1, 0];
const NAMES = { 8: "8 (MHA)", 4: "4", 2: "2", 1: "1 (MQA)", 0: "MLA" };
const WIDTH = 360,
  HIGH = 28,
  TOP = 22,
  BOTTOM = 96;

const label = (x, y, words, properties = {}) =>
  svg("text", { x, y, "font-size": 12, fill: "currentColor", ...properties }, words);

const box = (x, y, wide, words, colour, strong) => [
  svg("rect", {
    x: x + 1.5,
    y,
    width: wide - 3,
    height: HIGH,
    rx: 3,
    fill: colour,
    "fill-opacity": strong ? 0.4 : 0.2,
    stroke: strong ? "currentColor" : colour,
    "stroke-width": strong ? 2 : 1,
  }),
  label(x + wide / 2, y + 18.5, words, { "text-anchor": "middle" }),
];

class Groups extends Figure {
  static initial = { g: 2, o: "neighbours", i: 1 };
  static valid = ({ g, o, i }, { heads }) =>
    KINDS.includes(g) &&
    ["neighbours", "strided"].includes(o) &&
    Number.isInteger(i) &&
    i >= 0 &&
    i < heads;

  build() {
    this.picture = svg("svg", { viewBox: `0 0 ${WIDTH} 150`, width: WIDTH, "aria-hidden": "true" });
    this.bars = svg("svg", { viewBox: `0 0 ${WIDTH} 152`, width: WIDTH, "aria-hidden": "true" });
    this.order = this.choice("o", {
      label: WORDS.order,
      options: [
        ["neighbours", WORDS.neighbours],
        ["strided", WORDS.strided],
      ],
    });
    return [
      desk(
        this.choice("g", { label: WORDS.keyHeads, options: KINDS.map((g) => [g, NAMES[g]]) }),
        this.slider("i", { label: WORDS.query, min: 0, max: this.data.heads - 1 }),
      ),
      this.order,
      h("div", { class: "play__row play__pair" }, this.picture, this.bars),
    ];
  }

  draw() {
    const { g, o, i: chosen } = this.state,
      { heads } = this.data;
    this.order.hidden = g < 2 || g === heads;
    const count = g || 1,
      strided = o === "strided" && !this.order.hidden;
    const read = reads(heads, count, strided),
      wide = WIDTH / heads;
    const narrow = Math.min(WIDTH / count, 90),
      middle = (j) => ((j + 0.5) * WIDTH) / count;
    this.picture.replaceChildren(
      label(0, 14, WORDS.queryHeads, { "font-weight": 600 }),
      ...read.map((j, i) =>
        svg("line", {
          x1: (i + 0.5) * wide,
          y1: TOP + HIGH,
          x2: middle(j),
          y2: BOTTOM,
          stroke: "currentColor",
          "stroke-opacity": i === chosen ? 1 : 0.35,
          "stroke-width": i === chosen ? 3 : 1.5,
        }),
      ),
      ...read.flatMap((_, i) => box(i * wide, TOP, wide, `q ${i}`, "var(--qkv-q)", i === chosen)),
      ...Array.from({ length: count }, (_, j) => {
        const size = g ? narrow : 180;
        const words = g ? (g > 4 ? `${j}` : `k, v ${j}`) : "c";
        return box(middle(j) - size / 2, BOTTOM, size, words, "var(--qkv-k)", read[chosen] === j);
      }).flat(),
      label(0, 143, g ? WORDS.below : WORDS.latent, { "font-weight": 600 }),
    );
    const most = kept(heads, this.data);
    this.bars.replaceChildren(
      label(0, 14, WORDS.kept, { "font-weight": 600 }),
      ...KINDS.flatMap((kind, row) => {
        const many = kept(kind, this.data),
          long = (many / most) * (WIDTH - 110),
          y = TOP + 26 * row,
          now = { "font-weight": kind === g ? 600 : 400 };
        return [
          label(58, y + 16, NAMES[kind], { "text-anchor": "end", ...now }),
          svg("rect", {
            x: 64,
            y,
            width: long,
            height: 22,
            rx: 3,
            fill: "var(--qkv-k)",
            "fill-opacity": kind === g ? 0.4 : 0.2,
            stroke: kind === g ? "currentColor" : "var(--qkv-k)",
            "stroke-width": kind === g ? 2 : 1,
          }),
          label(70 + long, y + 16, `${many}${kind ? "" : WORDS.ofDeepSeek}`, now),
        ];
      }),
    );
    const many = kept(g, this.data),
      others = read.flatMap((j, i) => (j === read[chosen] && i !== chosen ? [i] : []));
    const who = !g
      ? WORDS.all(chosen)
      : others.length
        ? WORDS.shares(chosen, read[chosen], others)
        : WORDS.each(chosen);
    const share = `${number((100 * many) / most, 1)}%`;
    return who + (many === most ? WORDS.whole(many) : WORDS.amount(many, share));
  }
}

customElements.define("qkv-groups", Groups);
