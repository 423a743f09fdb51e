// What can be read off a sentence that went through an encoder. A word may be several tokens: it
// asks with the mean of their rows and is asked by the sum of their columns, and its vector is
// their mean. docs/data/pretrained.py counts in the same way; tests/test_own_sentence.py compares.
import { cosine, dot } from "./maths.mjs";

/** @typedef {ArrayLike<number>} Row */
/** @typedef {number[][]} Matrix */

const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

/**
 * Rows of a flat array. @param {Float32Array | number[]} flat
 * @returns {Matrix}
 */
export const rows = (flat, width) =>
  Array.from({ length: flat.length / width }, (_, i) =>
    Array.from(flat.slice(i * width, (i + 1) * width)),
  );

/** The mean of some rows. @param {Matrix} all @param {number[]} own @returns {number[]} */
export const meanRow = (all, own) => all[own[0]].map((_, j) => mean(own.map((i) => all[i][j])));

/**
 * Attention weights of tokens as those of words: every row still sums to 1.
 * @param {Matrix} map  (n, n)
 * @param {number[][]} words  the tokens of each
 */
export const byWord = (map, words) =>
  words.map((own) => {
    const row = meanRow(map, own);
    return words.map((other) => other.reduce((sum, j) => sum + row[j], 0));
  });

/** What each word adds to the output of a head for one word: a row of V each, (n_words, d_v). */
export const added = (row, v, words) =>
  words.map((other) => v[0].map((_, c) => other.reduce((sum, j) => sum + row[j] * v[j][c], 0)));

/** The plain roles: how much attention weight a head gives on average to such a place. */
const ROLES = {
  next: (map) => mean(map.slice(0, -1).map((row, i) => row[i + 1])),
  previous: (map) => mean(map.slice(1).map((row, i) => row[i])),
  first: (map) => mean(map.slice(1).map((row) => row[0])),
  itself: (map) => mean(map.map((row, i) => row[i])),
  last: (map) => mean(map.slice(0, -1).map((row) => row.at(-1))),
};

/**
 * For each role the head that plays it most in this sentence.
 * @param {(layer: number, head: number) => Matrix} map
 * @returns {{ role: string, layer: number, head: number, mean: number }[]}
 */
export const roles = (map, layers, heads) =>
  Object.entries(ROLES).map(([role, share]) => {
    let best = { role, layer: 0, head: 0, mean: -1 };
    for (let layer = 0; layer < layers; layer += 1) {
      for (let head = 0; head < heads; head += 1) {
        const found = share(map(layer, head));
        if (found > best.mean) best = { role, layer, head, mean: found };
      }
    }
    return best;
  });

/**
 * At each layer a line from one group of words to another: 1 at the first, -1 at the second.
 * @param {Matrix[]} first  words of one group, each with a vector a layer
 * @param {Matrix[]} second
 * @returns {{ middle: number[], direction: number[] }[]}
 */
export const lineBetween = (first, second) =>
  first[0].map((_, layer) => {
    const f = meanRow(
      first.map((word) => word[layer]),
      [...first.keys()],
    );
    const b = meanRow(
      second.map((word) => word[layer]),
      [...second.keys()],
    );
    const apart = f.map((x, i) => x - b[i]);
    const size = dot(apart, apart);
    return {
      middle: f.map((x, i) => (x + b[i]) / 2),
      direction: apart.map((x) => (2 * x) / size),
    };
  });

/** The place of a word on such a line, before the first layer and after each. */
export const way = (vectors, line) =>
  vectors.map((x, layer) => {
    const { middle, direction } = line[layer];
    return x.reduce((sum, value, i) => sum + (value - middle[i]) * direction[i], 0);
  });

/**
 * Cosines of words with words, each language's common part taken away first.
 * @param {Matrix} a  @param {number[]} centreOfA  @param {Matrix} b  @param {number[]} centreOfB
 */
export const centredCosines = (a, centreOfA, b, centreOfB) => {
  const from = (x, centre) => x.map((value, i) => value - centre[i]);
  const others = b.map((x) => from(x, centreOfB));
  return a.map((x) => {
    const own = from(x, centreOfA);
    return others.map((other) => cosine(own, other));
  });
};

/** Pairs of tokens that may not see each other where these words do not see those. */
export const pairs = (askers, hidden) => askers.flatMap((i) => hidden.map((j) => [i, j]));
