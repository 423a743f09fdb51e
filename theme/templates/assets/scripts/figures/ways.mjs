// The way of a word through the layers of a model, on a line from one group of words to another.
import { words } from "../language.mjs";
import { number, svg } from "./core.mjs";

const WORDS = words({
  chart: {
    zh: (way) => `坐标随层数的变化：从 ${number(way[0])} 到 ${number(way.at(-1))}`,
    en: (way) => `place by layer: from ${number(way[0])} to ${number(way.at(-1))}`,
  },
  layersPassed: { zh: "走过的层数", en: "layers passed" },
});

const GREY = "var(--qkv-line)";
const DOTTED = { stroke: GREY, "stroke-width": 2.5, "stroke-dasharray": "2 3" };

/** An empty chart, for `draw`. */
export const chart = () => svg("svg", { viewBox: "0 0 340 230", width: 340, height: 230 });

/**
 * Draw the way of a word.
 * @param {SVGElement} into
 * @param {object} what
 * @param {number[]} what.way  its place before the first layer and after each
 * @param {number[] | null} [what.other]  the same where something is cut: dotted
 * @param {{ way: number[], second: boolean }[]} [what.more]  of other sentences: thin
 * @param {[string, string]} what.senses  what is at 1 and at -1
 * @param {boolean} [what.second]  whether the sentence has the second sense: dashed
 * @param {number} [what.layer]  one to be marked
 */
export function draw(into, { way, other, more = [], senses, second = false, layer }) {
  const all = [way, other ?? [], ...more.map((one) => one.way)].flat();
  const low = Math.min(-1, ...all),
    high = Math.max(1, ...all),
    last = way.length - 1;
  const x = (i) => 40 + (i * (330 - 40)) / last,
    y = (v) => 18 + ((high - v) * (190 - 18)) / (high - low);
  const line = (values, how) =>
    svg("polyline", {
      points: values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(" "),
      fill: "none",
      ...how,
    });
  const end = (values, r, fill) => svg("circle", { cx: x(last), cy: y(values.at(-1)), r, fill });
  const text = (words, at, how) =>
    svg("text", { x: at[0], y: at[1], "font-size": 12, fill: "currentColor", ...how }, words);
  const colour = second ? "currentColor" : "var(--qkv-heat)";
  into.setAttribute("role", "img"); // not before it has something to say
  into.setAttribute("aria-label", WORDS.chart(way));
  into.replaceChildren(
    ...(layer === undefined
      ? []
      : [
          svg("rect", {
            x: x(layer),
            y: 18,
            width: x(1) - x(0),
            height: 190 - 18,
            fill: GREY,
            "fill-opacity": 0.18,
          }),
        ]),
    ...[1, 0, -1].flatMap((v) => [
      svg("line", {
        x1: 40,
        x2: 330,
        y1: y(v),
        y2: y(v),
        stroke: GREY,
        "stroke-width": v ? 0.5 : 1,
      }),
      text(number(v, 0), [34, y(v) + 4], { "text-anchor": "end" }),
    ]),
    text(senses[0], [44, y(1) + 14]),
    text(senses[1], [44, y(-1) - 5]),
    ...Array.from({ length: last + 1 }, (_, i) =>
      i % 2 ? [] : [text(String(i), [x(i), 206], { "text-anchor": "middle" })],
    ).flat(),
    text(WORDS.layersPassed, [330, 224], { "text-anchor": "end" }),
    ...more.map((one) =>
      line(one.way, {
        stroke: GREY,
        "stroke-width": 1.25,
        "stroke-dasharray": one.second ? "3 2" : null,
      }),
    ),
    ...(other ? [line(other, DOTTED), end(other, 3, GREY)] : []),
    line(way, {
      stroke: colour,
      "stroke-width": 2.5,
      "stroke-dasharray": second ? "6 4" : null,
    }),
    end(way, 4, colour),
  );
}
