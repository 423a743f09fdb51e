// The model and what it was asked in this page, for as long as the page's scripts live.
import { meanRow, rows } from "../encoded.mjs";
import { dot } from "../maths.mjs";

const D_MODEL = 384,
  D_K = 32;

/** @type {{ script: any, model: any }} model.mjs, and the model once it is loaded */
export const here = { script: undefined, model: undefined };
/** @type {Map<string, import("./shown.mjs").Shown>} */
export const sentences = new Map(); // computed, by their texts

/** @type {Promise<any>} */
let queue = Promise.resolve();
/** The model does one thing at a time. @param {() => any} task */
export const next = (task) => {
  const done = queue.then(task);
  queue = done.catch(() => {});
  return done;
};

/** The vectors of some tokens, their mean, before the first layer and after each. */
export const vectors = (live, own) =>
  live.hidden.map((flat) => {
    const at = (i) => Array.from(flat.subarray(i * D_MODEL, (i + 1) * D_MODEL));
    const all = own.map(at);
    return meanRow(all, [...all.keys()]);
  });

/**
 * q, k and v of a head, (n, 32) each, with the scaled scores; where it is computed also what each
 * token's value becomes by W_O. Null where nobody recorded it, undefined while it is on its way.
 */
export function inside(figure, shown) {
  const { layer, head } = figure.state;
  if (shown.recorded) {
    const found = shown.recorded.vectors[`${layer},${head}`];
    if (!found) return null;
    const { q, k } = found;
    return { ...found, scores: q.map((x) => k.map((y) => dot(x, y) / Math.sqrt(D_K))) };
  }
  return figure.soon(`vectors ${shown.text} ${layer} ${head}`, () =>
    next(async () => {
      const now = figure.state;
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
