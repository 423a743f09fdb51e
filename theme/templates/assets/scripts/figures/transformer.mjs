// Attention layers one upon the other and nothing else: qkv_docs.InductionModel on plain arrays.
// tests/test_induction.py holds the two together.
import { attention, matmul } from "./maths.mjs";

const add = (a, b) => a.map((row, i) => row.map((x, j) => x + b[i][j]));
const subtract = (a, b) => a.map((row, i) => row.map((x, j) => x - b[i][j]));

/** Row m, columns 2i and 2i + 1: turned by m * 10000^(-2i/d) radians. */
export const rope = (x) =>
  x.map((row, m) =>
    row.map((value, j) => {
      const angle = m * 10000 ** (-(j - (j % 2)) / row.length),
        other = row[j ^ 1];
      return value * Math.cos(angle) + (j % 2 ? other : -other) * Math.sin(angle);
    }),
  );

/** w: the parameters by name; cut: some of "qkvo", paths out of layer 1. Logits (n, 26), and the weights (n, n) of both layers. */
export const forward = (w, ids, cut = "") => {
  const embedded = ids.map((id) => w.w_e[id]),
    mask = ids.map((_, i) => ids.map((_, j) => j <= i));
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

/** A recorded model: 8 bits a number, base64, matrices in the order of `shapes`. */
export const unpack = ({ scale, weights }, shapes) => {
  const whole = Int8Array.from(atob(weights), (letter) => letter.charCodeAt(0));
  let at = 0;
  return Object.fromEntries(
    Object.entries(shapes).map(([name, [rows, columns]]) => [
      name,
      Array.from({ length: rows }, () =>
        Array.from(whole.subarray(at, (at += columns)), (x) => x * scale[name]),
      ),
    ]),
  );
};
