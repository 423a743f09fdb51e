// similarity: a query and three keys whose tips can be dragged, and every way to compare them.
import { words } from "../language.mjs";
import { Figure, h, number, svg } from "./core.mjs";
import { cosine, dot, norm, softmax } from "./maths.mjs";

const WORDS = words({
  dotProduct: { zh: "点积", en: "dot product" },
  scaled: { zh: "点积 ÷ √2", en: "dot product ÷ √2" },
  attentionWeight: { zh: "注意力权重", en: "attention weight" },
  length: { zh: "长度", en: "length" },
  angleQ: { zh: "与 q 的夹角", en: "angle to q" },
  cosine: { zh: "余弦", en: "cosine" },
  shadowKey: { zh: "画谁的影子", en: "shadow of key" },
  tipOfQuery: { zh: "查询 q 的尖端，方向键移动", en: "tip of the query q; arrow keys move it" },
  tipOfKey: {
    zh: (name) => `键 ${name} 的尖端，方向键移动`,
    en: (name) => `tip of the key ${name}; arrow keys move it`,
  },
  spoken: {
    zh: (all, name) => `，点积 ${short(all.dots[KEYS.indexOf(name)])}`,
    en: (all, name) => `, dot product ${short(all.dots[KEYS.indexOf(name)])}`,
  },
  lengthOf: { zh: "，长度 ", en: ", length " },
  summary: {
    zh: (sum, size, long, cos, shade, byDot, byCosine, same) =>
      `${sum}：长度 ${short(size)} × 长度 ${long} × 余弦 ${cos}，也就是 ${short(size)} × 影子 ` +
      `${shade}。按点积：${byDot}；按余弦：${byCosine}。两种排名${same ? "一样" : "不同"}。`,
    en: (sum, size, long, cos, shade, byDot, byCosine, same) =>
      `${sum}: length ${short(size)} × length ${long} × cosine ${cos}, which is ` +
      `${short(size)} × shadow ${shade}. By dot product: ${byDot}; by cosine: ` +
      `${byCosine}. The rankings ${same ? "agree" : "differ"}.`,
  },
});

/** One query with each key, in every way that the page compares them. */
export const compare = (q, keys) => {
  const dots = keys.map((key) => dot(q, key)),
    scaled = dots.map((x) => x / q.length ** 0.5);
  const cosines = keys.map((key) => cosine(q, key));
  return {
    dots,
    scaled,
    cosines,
    weights: softmax(scaled),
    lengths: keys.map(norm),
    degrees: cosines.map((x) => (Math.acos(Math.max(-1, Math.min(1, x))) * 180) / Math.PI),
    shadows: dots.map((x) => (norm(q) ? x / norm(q) : 0)),
  };
};

/** "b > a = c": from the largest to the smallest. */
export const ranking = (values, names) => {
  const order = names.map((_, i) => i).sort((i, j) => values[j] - values[i] || i - j);
  return order
    .map(
      (i, place) =>
        (place ? (values[order[place - 1]] - values[i] < 1e-9 ? " = " : " > ") : "") + names[i],
    )
    .join("");
};

const STEP = 0.5,
  UNIT = 21,
  ORIGIN = [170, 233],
  LEAST = [-8, -5],
  MOST = [8, 11];
const KEYS = ["a", "b", "c"];
const COLOUR = (name) => `var(--qkv-${name === "q" ? "q" : "k"})`;
/** @param {number[]} point */
const at = ([x, y]) => [ORIGIN[0] + UNIT * x, ORIGIN[1] - UNIT * y];
const short = (x) =>
  number(x)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
const term = (x) => (x < 0 ? `(${short(x)})` : short(x));

const arrow = (tip) => {
  const [x, y] = at(tip),
    size = norm(tip);
  if (!size) return "";
  const [ahead, up] = [tip[0] / size, -tip[1] / size];
  const wing = (turn) => `L${x - 9 * ahead - 4.5 * turn * up} ${y - 9 * up + 4.5 * turn * ahead}`;
  return `M${ORIGIN}L${x} ${y}${wing(1)}M${x} ${y}${wing(-1)}`;
};

class Vectors extends Figure {
  get initial() {
    return { ...this.data, k: "b" };
  }

  static valid = (state) =>
    KEYS.includes(state.k) &&
    ["q", ...KEYS].every(
      (name) =>
        state[name].length === 2 &&
        state[name].every((x, i) => Number.isInteger(x / STEP) && x >= LEAST[i] && x <= MOST[i]),
    );

  build() {
    const lines = [];
    for (let x = LEAST[0]; x <= MOST[0]; x += 2) lines.push(`M${at([x, LEAST[1]])}V${at(MOST)[1]}`);
    for (let y = LEAST[1] + 1; y <= MOST[1]; y += 2)
      lines.push(`M${at([LEAST[0], y])}H${at(MOST)[0]}`);
    const path = (more) => svg("path", { fill: "none", ...more });
    this.line = path({ stroke: "var(--qkv-q)", "stroke-opacity": 0.45 });
    this.drop = path({ stroke: "currentColor", "stroke-opacity": 0.6, "stroke-dasharray": "4 3" });
    this.angle = path({ stroke: "currentColor", "stroke-opacity": 0.6 });
    this.shadow = path({ stroke: "var(--qkv-k)", "stroke-width": 6, "stroke-opacity": 0.6 });
    this.shadowText = svg("text", { "text-anchor": "middle" });
    this.tips = Object.fromEntries(["q", ...KEYS].map((name) => [name, this.tip(name)]));
    this.plane = svg(
      "svg",
      { viewBox: "0 0 340 340", width: 340, fill: "currentColor", "font-size": 13 },
      path({ d: lines.join(""), stroke: "var(--qkv-line)", "stroke-opacity": 0.18 }),
      path({
        d: `M${at([LEAST[0], 0])}H${at(MOST)[0]}M${at([0, LEAST[1]])}V${at(MOST)[1]}`,
        stroke: "var(--qkv-line)",
        "stroke-opacity": 0.7,
      }),
      this.line,
      this.drop,
      this.angle,
      this.shadow,
      Object.values(this.tips).map(({ node }) => node),
      this.shadowText,
    );

    this.cells = {};
    const names = {
      dots: WORDS.dotProduct,
      scaled: WORDS.scaled,
      weights: WORDS.attentionWeight,
      lengths: WORDS.length,
      degrees: WORDS.angleQ,
      cosines: WORDS.cosine,
    };
    const rows = Object.entries(names).map(([name, words]) => {
      this.cells[name] = KEYS.map(() => h("td", {}));
      return h("tr", {}, h("th", { scope: "row" }, words), this.cells[name]);
    });
    this.heads = KEYS.map(() => h("th", { scope: "col" }));
    this.caption = h("caption", {});
    const table = h(
      "table",
      { class: "play__grid" },
      this.caption,
      h("thead", {}, h("tr", {}, h("td", {}), this.heads)),
      h("tbody", {}, rows),
    );
    return [
      this.choice("k", {
        label: WORDS.shadowKey,
        options: KEYS.map((name) => [name, name]),
      }),
      h(
        "div",
        { class: "play__row play__pair" },
        this.plane,
        h("div", { class: "play__scroll" }, table),
      ),
    ];
  }

  /** An arrow and the handle at its tip. */
  tip(name) {
    const parts = {
      shaft: svg("path", { fill: "none", stroke: COLOUR(name) }),
      dot: svg("circle", { r: 5, fill: COLOUR(name) }),
      hold: svg("circle", { r: 15, fill: COLOUR(name), "fill-opacity": 0, class: "play__hold" }),
      text: svg("text", { "text-anchor": "middle", "font-weight": 650, fill: COLOUR(name) }, name),
    };
    const go = (to) => {
      const place = to.map((x, i) =>
        Math.max(LEAST[i], Math.min(MOST[i], Math.round(x / STEP) * STEP)),
      );
      const chosen = name === "q" ? {} : { k: name };
      if (String(place) !== String(this.state[name]) || (chosen.k ?? this.state.k) !== this.state.k)
        this.set({ [name]: place, ...chosen });
    };
    let held = null; // from the pointer to the tip, so that nothing jumps when it is picked up
    const under = (event) => {
      const { left, top, width } = this.plane.getBoundingClientRect(),
        unit = (UNIT * width) / 340;
      return [
        (event.clientX - left) / unit - ORIGIN[0] / UNIT,
        ORIGIN[1] / UNIT - (event.clientY - top) / unit,
      ];
    };
    const release = () => {
      held = null;
      node.removeAttribute("data-held");
    };
    const node = svg(
      "g",
      {
        role: "slider",
        tabindex: 0,
        "data-drag": true,
        class: "play__tip",
        "aria-label": name === "q" ? WORDS.tipOfQuery : WORDS.tipOfKey(name),
        "aria-valuemin": LEAST[0],
        "aria-valuemax": MOST[0],
        onpointerdown: (event) => {
          if (event.button) return;
          node.setPointerCapture(event.pointerId);
          node.focus({ preventScroll: true });
          const where = under(event);
          held = this.state[name].map((x, i) => x - where[i]);
          node.setAttribute("data-held", "");
          go(this.state[name]);
        },
        ontouchstart: (event) => event.preventDefault(), // touch-action is not heeded inside an SVG
        onpointermove: (event) => {
          if (held) go(under(event).map((x, i) => x + held[i]));
        },
        onpointerup: release,
        onpointercancel: release,
        onkeydown: (event) => {
          const move = {
            ArrowLeft: [-1, 0],
            ArrowRight: [1, 0],
            ArrowUp: [0, 1],
            ArrowDown: [0, -1],
          }[event.key];
          if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
          go(this.state[name].map((x, i) => x + move[i] * (event.shiftKey ? 4 : 1) * STEP));
          event.preventDefault();
          event.stopPropagation();
        },
      },
      Object.values(parts),
    );
    return { node, ...parts };
  }

  draw() {
    const { q, k } = this.state,
      keys = KEYS.map((name) => this.state[name]),
      chosen = KEYS.indexOf(k),
      key = keys[chosen];
    const all = compare(q, keys),
      size = norm(q);
    for (const [name, { node, shaft, dot: knob, hold, text }] of Object.entries(this.tips)) {
      const place = this.state[name],
        [x, y] = at(place),
        long = norm(place);
      shaft.setAttribute("d", arrow(place));
      shaft.setAttribute("stroke-width", name === "q" || name === k ? 3 : 1.75);
      for (const circle of [knob, hold]) {
        circle.setAttribute("cx", x);
        circle.setAttribute("cy", y);
      }
      const [dx, dy] = long ? [place[0] / long, -place[1] / long] : [1, 0];
      text.setAttribute("x", Math.max(8, Math.min(332, x + 16 * dx)));
      text.setAttribute("y", Math.max(12, Math.min(334, y + 16 * dy + 4.5)));
      node.setAttribute("aria-valuenow", place[0]);
      const product = name === "q" ? "" : WORDS.spoken(all, name);
      node.setAttribute("aria-valuetext", `(${place.map(short).join(", ")})${product}`);
    }
    const far = size ? q.map((x) => (20 * x) / size) : [0, 0],
      foot = size ? q.map((x) => (x / size) * all.shadows[chosen]) : [0, 0];
    this.line.setAttribute("d", `M${at(far.map((x) => -x))}L${at(far)}`);
    this.angle.setAttribute("d", this.arc(q, key));
    const side = size ? [q[1] / size, q[0] / size] : [0, 1],
      below = dot(key, [-q[1], q[0]]) < 0 ? -1 : 1; // away from the key
    const beside = (/** @type {number[]} */ [x, y], far) => [
      x + far * below * side[0],
      y + far * below * side[1],
    ];
    const [x, y] = beside(at(foot.map((part) => part / 2)), 24);
    this.shadow.setAttribute("d", `M${beside(ORIGIN, 9)}L${beside(at(foot), 9)}`);
    this.drop.setAttribute("d", `M${at(key)}L${beside(at(foot), 5)}`);
    this.shadowText.setAttribute("x", x);
    this.shadowText.setAttribute("y", y + 4);
    this.shadowText.textContent = size && norm(key) ? short(all.shadows[chosen]) : "";

    this.caption.replaceChildren(
      h("b", {}, "q"),
      ` = (${q.map(short).join(", ")})${WORDS.lengthOf}${short(size)}`,
    );
    this.heads.forEach((head, i) => {
      head.textContent = `${KEYS[i]} (${keys[i].map(short).join(", ")})`;
    });
    for (const [name, cells] of Object.entries(this.cells)) {
      const values = all[name],
        best = ["dots", "cosines", "weights"].includes(name) ? Math.max(...values) : null;
      cells.forEach((cell, i) => {
        const none = name === "degrees" && !(size && all.lengths[i]);
        cell.textContent = none
          ? "–"
          : name === "degrees"
            ? `${number(values[i], 0)}°`
            : name === "weights"
              ? number(values[i], 3)
              : short(values[i]);
        cell.toggleAttribute("data-chosen", best !== null && best - values[i] < 1e-9);
      });
    }
    const [byDot, byCosine] = [all.dots, all.cosines].map((values) =>
        ranking(values, KEYS).replaceAll(" ", "\u00a0"),
      ),
      same = byDot === byCosine;
    const terms = q.map((x, i) => `${term(x)} × ${term(key[i])}`).join(" + ");
    const sum = `q·${k} = ${terms} = ${short(all.dots[chosen])}`;
    const [cos, long, shade] = [all.cosines, all.lengths, all.shadows].map((values) =>
      short(values[chosen]),
    );
    return WORDS.summary(sum, size, long, cos, shade, byDot, byCosine, same);
  }

  /** From q to the key, the short way round. */
  arc(q, key) {
    if (!norm(q) || !norm(key)) return "";
    const [start, end] = [q, key].map((tip) => at(tip.map((x) => (x / norm(tip)) * 1.6)));
    const [radius, sweep] = [1.6 * UNIT, dot(key, [-q[1], q[0]]) > 0 ? 0 : 1];
    return `M${start}A${radius} ${radius} 0 0 ${sweep} ${end}`;
  }
}

customElements.define("qkv-vectors", Vectors);
