// The mathematics of the figures, on plain arrays: a vector is [x, …], a matrix its rows.
// The same names, shapes and rules as qkv_docs; tests/test_figures.py holds the two together.

/** @typedef {number[]} Vector */
/** @typedef {Vector[]} Matrix */

const sum = (vector) => vector.reduce((total, x) => total + x, 0);

export const transpose = (a) => a[0].map((_, j) => a.map((row) => row[j]));

/** A vector with a vector: a number. */
export const dot = (a, b) => sum(a.map((x, i) => x * b[i]));

export const norm = (a) => Math.hypot(...a);

/** 0 where a vector is 0. */
export const cosine = (a, b) => {
  const product = norm(a) * norm(b);
  return product ? dot(a, b) / product : 0;
};

/** (n, m) times (m, p): (n, p). */
export const matmul = (a, b) => {
  const columns = transpose(b);
  return a.map((row) => columns.map((column) => dot(row, column)));
};

/** One row; a row of nothing but -Infinity gives 0. */
export const softmax = (scores) => {
  const highest = Math.max(...scores);
  if (highest === -Infinity) return scores.map(() => 0);
  const powers = scores.map((x) => Math.exp(x - highest)),
    total = sum(powers);
  return powers.map((x) => x / total);
};

/**
 * @param {Matrix} q  (n_q, d_k)
 * @param {Matrix} k  (n_k, d_k)
 * @param {Matrix} v  (n_k, d_v)
 * @param {{ mask?: boolean[][] | null, scale?: number }} options  mask (n_q, n_k): true, it may
 * @returns {{ scores: Matrix, weights: Matrix, output: Matrix }}
 */
export const attention = (q, k, v, { mask, scale = q[0].length ** -0.5 } = {}) => {
  const scores = q.map((query, i) =>
    k.map((key, j) => (!mask || mask[i][j] ? dot(query, key) * scale : -Infinity)),
  );
  const weights = scores.map(softmax);
  return { scores, weights, output: matmul(weights, v) };
};

/** How the weights of a row change with its scores: (n, n). */
export const jacobian = (weights) =>
  weights.map((a, i) => weights.map((b, j) => a * ((i === j ? 1 : 0) - b)));

/**
 * x (n, d): columns 2i and 2i + 1 of a row turned by its position * base^(-2i/d) radians.
 * @param {Matrix} x
 * @param {number[]} positions  0, 1, 2, … where none are given
 */
export const rope = (x, positions = x.map((_, m) => m), base = 10000) =>
  x.map((row, m) =>
    row.map((value, j) => {
      const angle = positions[m] * base ** (-(j - (j % 2)) / row.length);
      const other = row[j ^ 1];
      return value * Math.cos(angle) + (j % 2 ? other : -other) * Math.sin(angle);
    }),
  );

/** (n_q, n_k), true = may attend: the last query lines up with the last key. */
export const causalMask = (n_q, n_k = n_q) =>
  Array.from({ length: n_q }, (_, i) => Array.from({ length: n_k }, (_, j) => j <= i + n_k - n_q));

/** The place of the largest. @param {Vector} row */
export const argmax = (row) => row.indexOf(Math.max(...row));

/** In nats; 0 for a row that is all on one key, log n for an even one. */
export const entropy = (weights) => -sum(weights.map((a) => (a > 0 ? a * Math.log(a) : 0)));
