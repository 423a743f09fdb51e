// Attention layers one upon the other and nothing else: qkv_docs.InductionModel on plain arrays.
// tests/test_induction.py holds the two together.
import { attention, causalMask, matmul, rope } from "./maths.mjs";
import { shaped, unpack } from "./unpack.mjs";

const add = (a, b) => a.map((row, i) => row.map((x, j) => x + b[i][j]));
const subtract = (a, b) => a.map((row, i) => row.map((x, j) => x - b[i][j]));

/**
 * Logits (n, 26), and the attention weights (n, n) of both layers. `w` has the parameters by name;
 * `cut` names paths out of layer 1 that are cut: some of "qkvo".
 */
export const forward = (w, ids, cut = "") => {
  const embedded = ids.map((id) => w.w_e[id]);
  const mask = causalMask(ids.length);
  const layer = (l, read) => {
    const { weights, output } = attention(
      rope(matmul(read("q"), w[`w_q${l}`])),
      rope(matmul(read("k"), w[`w_k${l}`])),
      matmul(read("v"), w[`w_v${l}`]),
      { mask },
    );
    return { weights, added: matmul(output, w[`w_o${l}`]) };
  };
  const first = layer(1, () => embedded),
    stream = add(embedded, first.added);
  const second = layer(2, (path) => (cut.includes(path) ? embedded : stream));
  const last = add(stream, second.added);
  return {
    logits: matmul(cut.includes("o") ? subtract(last, first.added) : last, w.w_u),
    weights: [first.weights, second.weights],
  };
};

/** A recorded model: 8 bits a number, matrices one after the other in the order of `shapes`. */
export const restore = ({ scale, weights }, shapes) => {
  const flat = unpack(weights, "int8");
  let at = 0;
  const next = ([name, [rows, columns]]) => {
    const part = flat.subarray(at, (at += rows * columns));
    return [name, shaped(part, [rows, columns], scale[name])];
  };
  return Object.fromEntries(Object.entries(shapes).map(next));
};
