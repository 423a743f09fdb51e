// The mathematics of the figures, on plain arrays: a vector is [x, …], a matrix its rows.
// The same names, shapes and rules as qkv_docs; tests/test_figures.py holds the two together.

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

/** q (n_q, d_k), k (n_k, d_k), v (n_k, d_v), mask (n_q, n_k), true = may attend. */
export const attention = (q, k, v, { mask, scale = q[0].length ** -0.5 } = {}) => {
  const scores = q.map((query, i) =>
    k.map((key, j) => (!mask || mask[i][j] ? dot(query, key) * scale : -Infinity)),
  );
  const weights = scores.map(softmax);
  return { scores, weights, output: matmul(weights, v) };
};

/** How the weights of a row change with its scores: (n, n). */
export const jacobian = (weights) =>
  weights.map((a, i) => weights.map((b, j) => a * ((i === j) - b)));

/** In nats; 0 for a row that is all on one key, log n for an even one. */
export const entropy = (weights) => -sum(weights.map((a) => (a > 0 ? a * Math.log(a) : 0)));
