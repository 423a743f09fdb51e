// A sentence as the views have it, recorded or computed: its tokens joined to words.
import { rows } from "../encoded.mjs";
import { inflate, shaped } from "../unpack.mjs";
import { han } from "./texts.mjs";

/**
 * A sentence: its tokens and words, and of each layer and head what it has.
 * @typedef {object} Shown
 * @property {string} text
 * @property {string[]} pieces
 * @property {Word[]} words  the marks among them
 * @property {number} layers
 * @property {number} heads
 * @property {number} chosen  the word to begin with
 * @property {(layer: number, head: number) => number[][]} map
 * @property {any} [recorded]
 * @property {any} [live]  what model.mjs made of it
 * @property {{ role: string, layer: number, head: number, mean: number }[]} [roles]  once asked for
 */
/** @typedef {{ text: string, own: number[], inText: boolean }} Word  `own`: its tokens */

export const OTHERS = -1; // in place of a word that is hidden: all the others

const mark = (piece) => piece === "<s>" || piece === "</s>";

/** A recorded sentence. @returns {Promise<Shown>} */
export async function recorded(sentence, { layers, heads, kept, d_k, words: known }) {
  const { pieces, own } = sentence,
    n = pieces.length;
  const [weights, parts, ...inside] = await Promise.all([
    inflate(sentence.weights, "uint8"),
    inflate(sentence.parts, "int16"),
    ...sentence.qkv.map(({ numbers }) => inflate(numbers, "int8")),
  ]);
  const maps = shaped(weights, [layers, heads, n, n], 1 / 100);
  const matrices = inside.map((flat, i) => shaped(flat, [n, d_k], 1 / sentence.qkv[i].steps));
  let at = 0;
  const placed = pieces.map((piece, i) => {
    const bare = mark(piece) ? "" : piece.replace("▁", "");
    const start = bare ? sentence.text.indexOf(bare, at) : at;
    at = start + bare.length;
    const goesOn =
      /^[\p{Script=Latin}\p{N}]/u.test(piece) && /[\p{Script=Latin}\p{N}]$/u.test(pieces[i - 1]);
    return { text: piece, start, end: at, goesOn, word: bare ? i : null };
  });
  for (const [i, piece] of placed.entries()) if (piece.goesOn) piece.word = placed[i - 1].word;
  const all = wordsOf(sentence.text, placed, [own[0], own.at(-1) + 1]);
  return {
    text: sentence.text,
    pieces,
    words: all,
    layers,
    heads,
    chosen: all.findIndex((word) => word.own.includes(own[0])),
    map: (layer, head) => maps[layer][head],
    recorded: {
      ...sentence,
      known: known[sentence.word],
      pushes: shaped(parts, [layers, heads, n], 1 / 1000),
      kept: kept.map(([layer, head]) => `L${layer}H${head}`),
      vectors: Object.fromEntries(
        kept.map(([layer, head], i) => {
          const [q, k, v] = matrices.slice(3 * i, 3 * i + 3);
          return [`${layer},${head}`, { q, k, v }];
        }),
      ),
    },
  };
}

/** A computed one. @param {string[]} known  the words of the page @returns {Shown} */
export function computed(sentence, known) {
  const { text, pieces, layers, heads, weights } = sentence,
    n = pieces.length;
  const all = wordsOf(text, pieces);
  return {
    text: text.trim(),
    pieces: pieces.map((piece) => piece.text),
    words: all,
    layers,
    heads,
    chosen: telling(all, known),
    map: (layer, head) => rows(weights[layer].subarray(head * n * n, (head + 1) * n * n), n),
    live: sentence,
  };
}

/** A word as our lists have it. */
export const plain = (text) => text.replace(/ \d+$/, "").toLowerCase();

/** The word to begin with: one of ours, or the longest, which is seldom a small one. */
function telling(all, known) {
  const inText = all.filter((word) => word.inText);
  const ours = inText.find(({ text }) => known.includes(plain(text)));
  const longest = inText.reduce((a, b) => (b.text.length >= a.text.length ? b : a), inText[0]);
  return Math.max(0, all.indexOf(ours ?? longest));
}

/**
 * Tokens as words: those that the model's reader joins, and of Chinese what the browser's own
 * dictionary joins, 橙 and 子. A token is in one word only.
 * @param {string} text
 * @param {{ text: string, word: number | null, start: number, end: number }[]} pieces
 * @param {number[]} apart  tokens that begin a word in any case
 * @returns {Word[]}
 */
function wordsOf(text, pieces, apart = []) {
  const ends = []; // for each place in the text where its word ends
  if ("Segmenter" in Intl) {
    const segments = new Intl.Segmenter("zh", { granularity: "word" }).segment(text);
    for (const { segment, index } of segments) {
      for (let i = index; i < index + segment.length; i += 1)
        ends[i] = han(segment) ? index + segment.length : i + 1;
    }
  }
  const all = [];
  let word = null, // of the token before
    end = 0;
  for (const [i, piece] of pieces.entries()) {
    const inText = piece.word !== null && piece.end > piece.start;
    const goesOn =
      inText && word !== null && !apart.includes(i) && (piece.word === word || piece.start < end);
    if (goesOn) {
      const last = all.at(-1);
      last.own.push(i);
      last.text = text.slice(last.start, piece.end).trim();
    } else {
      const own = inText ? text.slice(piece.start, piece.end).trim() : "";
      all.push({ text: own || piece.text, own: [i], start: piece.start, inText });
    }
    word = inText ? piece.word : null;
    end = inText ? Math.max(piece.end, ends[piece.end - 1] ?? 0) : 0;
  }
  // One that stands there twice has its place beside it.
  const texts = all.map((one) => one.text);
  return all.map(({ text: one, own, inText }, i) => ({
    text: texts.indexOf(one) === texts.lastIndexOf(one) ? one : `${one} ${i}`,
    own,
    inText,
  }));
}
