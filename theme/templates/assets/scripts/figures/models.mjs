// models: two open models side by side, the heads of a layer and what is kept of every token.
import { words } from "../language.mjs";
import { Figure, desk, h, number, svg } from "./core.mjs";

const WORDS = words({
  first: { zh: "模型", en: "model" },
  second: { zh: "另一个", en: "and another" },
  tokens: { zh: "词元", en: "tokens" },
  queryHead: { zh: "查询头", en: "query head" },
  keyHead: { zh: "KV 头", en: "KV head" },
  latent: { zh: "压缩后的键和值，各头共用", en: "compressed keys and values, of all heads" },
  picture: {
    zh: (name) => `${name} 一层里的头`,
    en: (name) => `the heads of one layer of ${name}`,
  },
  bar: {
    zh: (name, one, all, n) => `${name}：每词元 ${one}，${n} 个词元 ${all}`,
    en: (name, one, all, n) => `${name}: ${one} a token, ${all} for ${n}`,
  },
  nothing: {
    zh: (name) => `${name}：编码器，不必保留`,
    en: (name) => `${name}: an encoder, keeps nothing`,
  },
  own: {
    zh: (row) => `每层 ${row.heads} 个查询头，各有 KV 头，d_k = ${row.d_head}`,
    en: (row) => `${row.heads} query heads a layer, each with a KV head, d_k = ${row.d_head}`,
  },
  shared: {
    zh: (row) => `每层 ${row.heads} 个查询头共用 ${row.key_heads} 个 KV 头，d_k = ${row.d_head}`,
    en: (row) =>
      `${row.heads} query heads a layer on ${row.key_heads} KV head${row.key_heads > 1 ? "s" : ""}` +
      `, d_k = ${row.d_head}`,
  },
  compressed: {
    zh: (row) => `每层 ${row.heads} 个查询头，键和值压缩成 ${row.latent} 个数`,
    en: (row) =>
      `${row.heads} query heads a layer, keys and values compressed to ${row.latent} numbers`,
  },
  windows: {
    zh: (row) => `${row.layers} 层中 ${row.windowed} 层只留最近 ${row.window} 个词元`,
    en: (row) => `${row.windowed} of ${row.layers} layers keep the last ${row.window} tokens only`,
  },
  linear: {
    zh: (row) => `${row.layers} 层中 ${row.linear} 层是线性的，状态大小固定，没有计入`,
    en: (row) => `${row.linear} of ${row.layers} layers are linear, their fixed state not counted`,
  },
  longer: {
    zh: (row) => `它最长只支持 ${row.longest} 个词元，这里只作比较`,
    en: (row) => `it takes ${row.longest} tokens at most`,
  },
  keeps: {
    zh: (all, n) => `${n} 个词元留下 ${all}`,
    en: (all, n) => `${all} for ${n} tokens`,
  },
  keepsNothing: {
    zh: "编码器，不逐词生成，不留缓存",
    en: "an encoder: it generates nothing and keeps no cache",
  },
  times: {
    zh: (more, less, ratio) => `${more} 留的是 ${less} 的 ${ratio} 倍。`,
    en: (more, less, ratio) => `${more} keeps ${ratio} times as much as ${less}.`,
  },
  same: { zh: "两者留的一样多。", en: "Both keep the same." },
  clause: { zh: "；", en: "; " },
  colon: { zh: "：", en: ": " },
  stop: { zh: "。", en: ". " },
});

const BYTES = 2; // of a number that is kept
const CELL = 10,
  ACROSS = 16; // heads in a line
const WIDE = 152; // pixels: two of them beside one another on a phone
const LEAST = 10,
  MOST = 20; // tokens: two to such a power

/** As docs.data.models.cache: the bytes kept for n tokens, null for an encoder. */
export const cacheBytes = (row, n) => {
  if (row.kind === "encoder") return null;
  const near = row.latent ?? 2 * row.key_heads * row.d_head,
    far = row.latent ?? 2 * row.full_key_heads * row.full_d_head;
  const full = row.layers - row.windowed - row.linear;
  return BYTES * (full * far * n + row.windowed * near * Math.min(n, row.window ?? n));
};

/** With the unit that leaves one to four digits before the point. */
export const size = (bytes) => {
  const power = bytes >= 2 ** 30 ? 3 : bytes >= 2 ** 20 ? 2 : 1;
  const value = bytes / 1024 ** power;
  const decimals = Number.isInteger(value) ? 0 : value < 10 ? 2 : 1;
  return `${number(value, decimals)} ${["", "KiB", "MiB", "GiB"][power]}`;
};

const count = (n) => n.toLocaleString("en-US");

class Models extends Figure {
  get initial() {
    return this.data.first;
  }

  static valid = ({ a, b, p }, { rows }) =>
    [a, b].every((name) => rows.some((row) => row.name === name)) &&
    Number.isInteger(p) &&
    p >= LEAST &&
    p <= MOST;

  build() {
    const options = this.data.rows.map(({ name }) => [name, name]);
    this.sides = [0, 1].map(() => {
      const name = h("b", {}),
        picture = svg("svg", { role: "img" });
      return { name, picture, node: h("div", {}, h("p", {}, name), picture) };
    });
    this.bars = [0, 1].map(() => {
      const label = h("p", {}),
        bar = svg("rect", { height: 10, fill: "var(--qkv-k)" });
      const track = { width: 360, height: 10, fill: "var(--qkv-line)", "fill-opacity": 0.15 };
      const picture = svg("svg", { viewBox: "0 0 360 10", width: 360 }, svg("rect", track), bar);
      return { label, bar, node: h("div", {}, label, picture) };
    });
    const legend = (colour, dashed, text) => {
      const look = dashed
        ? { fill: "none", stroke: colour, "stroke-dasharray": "3 2" }
        : { fill: colour };
      const square = svg("rect", { x: 1, y: 1, width: 8, height: 8, rx: 1.5, ...look });
      const sign = svg("svg", { viewBox: "0 0 10 10", width: 10 }, square);
      const entry = h("span", {}, sign, ` ${text}`);
      for (const one of [sign, entry]) one.style.display = "inline-block"; // no sign without its text
      return [entry, " "];
    };
    return [
      desk(
        this.menu("a", { label: WORDS.first, options }),
        this.menu("b", { label: WORDS.second, options }),
        this.slider("p", {
          label: WORDS.tokens,
          min: LEAST,
          max: MOST,
          show: (p) => count(2 ** p),
        }),
      ),
      h(
        "p",
        { class: "play__hint" },
        legend("var(--qkv-q)", false, WORDS.queryHead),
        legend("var(--qkv-k)", false, WORDS.keyHead),
        legend("var(--qkv-k)", true, WORDS.latent),
      ),
      h(
        "div",
        { class: "play__row" },
        this.sides.map(({ node }) => node),
      ),
      ...this.bars.map(({ node }) => node),
    ];
  }

  /** A bar for each KV head over its query heads; of MLA one dashed bar over all. */
  drawHeads({ picture }, row) {
    const group = row.latent ? row.heads : row.heads / row.key_heads;
    const across = Math.min(group, ACROSS),
      perLine = Math.floor(ACROSS / across);
    const wide = CELL * across,
      high = CELL * (Math.ceil(group / ACROSS) + 1) + 4;
    const groups = row.heads / group,
      tall = high * Math.ceil(groups / perLine);
    picture.setAttribute("viewBox", `0 0 ${CELL * ACROSS} ${tall}`);
    picture.setAttribute("width", WIDE);
    picture.setAttribute("aria-label", WORDS.picture(row.name));
    const square = (x, y, width, look) =>
      svg("rect", { x: x + 1, y: y + 1, width: width - 2, height: CELL - 2, rx: 1.5, ...look });
    const key = row.latent
      ? { fill: "none", stroke: "var(--qkv-k)", "stroke-dasharray": "3 2" }
      : { fill: "var(--qkv-k)" };
    picture.replaceChildren(
      ...Array.from({ length: groups }, (_, i) => {
        const left = wide * (i % perLine),
          top = high * Math.floor(i / perLine);
        return [
          square(left, top, wide, key),
          ...Array.from({ length: group }, (_, j) =>
            square(left + CELL * (j % ACROSS), top + CELL * (1 + Math.floor(j / ACROSS)), CELL, {
              fill: "var(--qkv-q)",
            }),
          ),
        ];
      }).flat(),
    );
  }

  draw() {
    const { a, b, p } = this.state,
      n = 2 ** p;
    const rows = [a, b].map((name) => this.data.rows.find((row) => row.name === name));
    const kept = rows.map((row) => cacheBytes(row, n));
    const most = Math.max(...kept.map((bytes) => bytes ?? 0), 1);
    rows.forEach((row, i) => {
      this.sides[i].name.textContent = row.name;
      this.drawHeads(this.sides[i], row);
      const bytes = kept[i];
      this.bars[i].bar.setAttribute("width", String((360 * (bytes ?? 0)) / most));
      this.bars[i].label.textContent =
        bytes === null
          ? WORDS.nothing(row.name)
          : WORDS.bar(row.name, size(cacheBytes(row, 1)), size(bytes), count(n));
    });
    const told = rows.map((row, i) => {
      const parts = [
        row.latent
          ? WORDS.compressed(row)
          : row.heads === row.key_heads
            ? WORDS.own(row)
            : WORDS.shared(row),
      ];
      if (row.windowed && kept[i] !== null) parts.push(WORDS.windows(row));
      if (row.linear) parts.push(WORDS.linear(row));
      if (kept[i] === null) parts.push(WORDS.keepsNothing);
      else {
        parts.push(WORDS.keeps(size(kept[i]), count(n)));
        if (row.longest && n > row.longest)
          parts.push(WORDS.longer({ ...row, longest: count(row.longest) }));
      }
      return `${row.name}${WORDS.colon}${parts.join(WORDS.clause)}${WORDS.stop}`;
    });
    const [one, other] = kept;
    if (one === null || other === null || a === b) return told.join("").trim();
    const [more, less] = one > other ? [a, b] : [b, a];
    const ratio = Math.max(one, other) / Math.min(one, other);
    const decimals = Math.abs(ratio - Math.round(ratio)) < 0.05 ? 0 : 1;
    const compared = ratio === 1 ? WORDS.same : WORDS.times(more, less, number(ratio, decimals));
    return told.join("") + compared;
  }
}

customElements.define("qkv-models", Models);
