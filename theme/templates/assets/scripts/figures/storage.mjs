// notation: where one number of W_Q, W_K or W_V is kept in four libraries.
import { words } from "../language.mjs";
import { Figure, desk, h, svg } from "./core.mjs";

const WORDS = words({
  matrix: { zh: "矩阵", en: "matrix" },
  row: { zh: "行", en: "row" },
  column: { zh: "列", en: "column" },
  summary: {
    zh: (name, value, head, at) =>
      `${name} = ${value}，属于头 ${head}。GPT-2：${at.gpt2}。nn.Linear：${at.linear}。` +
      `nn.MultiheadAttention：${at.mha}。Keras、Flax：${at.keras}。`,
    en: (name, value, head, at) =>
      `${name} = ${value}, in head ${head}. GPT-2: ${at.gpt2}. nn.Linear: ${at.linear}. ` +
      `nn.MultiheadAttention: ${at.mha}. Keras and Flax: ${at.keras}.`,
  },
});

const LETTERS = ["q", "k", "v"];
const LAYERS = { q: "query", k: "key", v: "value" };

/**
 * The indices of W[i, j] of a square matrix (d, d) with so many columns a head, in other libraries.
 * @param {string} letter  q, k or v
 * @returns {Record<string, number[]>}
 */
export const places = (letter, i, j, d, columns) => {
  const before = d * LETTERS.indexOf(letter);
  return {
    gpt2: [i, before + j],
    linear: [j, i],
    mha: [before + j, i],
    keras: [i, Math.floor(j / columns), j % columns],
  };
};

class Storage extends Figure {
  get initial() {
    return this.data.first;
  }

  static valid = ({ m, i, j }, { w }) =>
    LETTERS.includes(m) && [i, j].every((at) => Number.isInteger(at) && at >= 0 && at < w.q.length);

  build() {
    this.marks = svg("g", { fill: "none", stroke: "currentColor", "stroke-width": 3 });
    const picture = this.querySelector("svg").cloneNode(true);
    picture.querySelector("[data-mark]").replaceWith(this.marks);
    const last = this.data.w.q.length - 1;
    return [
      desk(
        this.choice("m", {
          label: WORDS.matrix,
          options: LETTERS.map((letter) => [letter, `W_${letter.toUpperCase()}`]),
        }),
        this.slider("i", { label: WORDS.row, min: 0, max: last }),
        this.slider("j", { label: WORDS.column, min: 0, max: last }),
      ),
      h("div", { class: "play__scroll" }, picture),
    ];
  }

  draw() {
    const { m, i, j } = this.state,
      { corners, size, w, columns } = this.data;
    this.marks.replaceChildren(
      ...Object.entries(corners[m]).map(([where, [x, y]]) => {
        const [row, column] = ["linear", "mha"].includes(where) ? [j, i] : [i, j];
        return svg("rect", {
          x: x + column * size[0] + 1,
          y: y + row * size[1] + 1,
          width: size[0] - 2,
          height: size[1] - 2,
          rx: 4,
        });
      }),
    );
    const at = places(m, i, j, w.q.length, columns);
    const index = (place) => `[${place.join(", ")}]`;
    return WORDS.summary(`W_${m.toUpperCase()}${index([i, j])}`, w[m][i][j], at.keras[1] + 1, {
      gpt2: `c_attn.weight${index(at.gpt2)}`,
      linear: `${m}_proj.weight${index(at.linear)}`,
      mha: `in_proj_weight${index(at.mha)}`,
      keras: `${LAYERS[m]}.kernel${index(at.keras)}`,
    });
  }
}

customElements.define("qkv-storage", Storage);
