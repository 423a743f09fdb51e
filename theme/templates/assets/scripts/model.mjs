// A real model for sentences of the reader's own: what it makes of a sentence is computed in Python
// (theme/runtime/sentence.py). Nothing is fetched before `load`; a rare word fetches its rows of the
// embedding table when it comes.
import { words } from "./language.mjs";

const { Packed, Refusal, pythonBytes, saidOf } = await globalThis.qkv.load("packed.mjs");

/** @typedef {import("./packed.mjs").Progress} Progress */
/** @typedef {{ text: string, id: number, word: number | null, start: number, end: number }} Piece */
/** @typedef {{ text: string, pieces: number[] }} Word */
/** @typedef {{ layer?: number, head?: number, words?: [number, number][], tokens?: [number, number][] }} Cut */

const WORDS = words({
  separator: { zh: "、", en: ", " },
});

const some = ({ words: all }) => all.slice(0, 5);
const names = (about) => some(about).join(WORDS.separator);

/** Words without the accents on their letters; nothing where they have other foreign letters. */
function plain(about) {
  const bare = some(about).map((word) => word.normalize("NFD").replace(/\p{M}/gu, ""));
  const foreign = /(?!\p{Script=Han})[^\P{L}a-z]/iu;
  return bare.some((word) => foreign.test(word)) ? "" : bare.join(WORDS.separator);
}

// Every sentence says what to do next; the other reasons are those of python.mjs.
const REASONS = words({
  empty: { zh: "这里还没有字。写一句话再试", en: "There are no words here yet. Write a sentence" },
  "too-long": {
    zh: ({ tokens, most }) => `这段话有 ${tokens} 个词元，这里最多 ${most} 个。请写短一些`,
    en: ({ tokens, most }) => `These are ${tokens} tokens; here it takes ${most}. Write less`,
  },
  unknown: {
    zh: (about) =>
      `这里的词表只有中文和不带附加符号的拉丁字母，写不了：${names(about)}。` +
      (plain(about) ? `可以写成 ${plain(about)}` : "换个写法再试"),
    en: (about) =>
      `The vocabulary here writes Chinese, and Latin letters without accents: not ${names(about)}. ` +
      (plain(about) ? `Write ${plain(about)}` : "Try other words"),
  },
  offline: {
    zh: (about) => `没有网络，取不到这些词的向量：${names(about)}。连上网络后再试，或换掉它们`,
    en: (about) =>
      `No network, and these words need vectors that are not here: ${names(about)}. ` +
      "Try again with a network, or without them",
  },
  damaged: {
    zh: (about) => `取到的文件损坏了，没有使用（要用它的词：${names(about)}）。再试一次会重取`,
    en: (about) =>
      `A file arrived damaged and was not used; it is needed for ${names(about)}. ` +
      "Try again to fetch it anew",
  },
  missing: {
    zh: "这个站点没有带上模型，只有页面里已有的句子",
    en: "This copy of the site came without the model: there are only the sentences of the page",
  },
});

/**
 * The sentence for what `load`, `sentence`, `vectors` or `cut` were rejected with.
 * @param {any} error
 * @returns {{ code: string, state: string, text: string }}
 */
export const said = (error) => saidOf(error, REASONS);

/** Those that any sentence needs; besides them there are the rare rows. */
const frame = (all) => ["frame", "vocabulary", ...all.names(/^layer-/), "rows"];
const packed = new Packed("model", frame);

/**
 * Bytes that are still to be fetched: Python, what any sentence needs of the model, and all that a
 * rare word may need besides. Null where this build has no model.
 * @returns {Promise<{ python: number, model: number, everything: number } | null>}
 */
export async function missing() {
  if (!(await packed.listed())) return null;
  const [python, model, everything] = await Promise.all([
    pythonBytes(),
    packed.absent(packed.first()).then((all) => packed.size(all)),
    packed.absent(packed.all()).then((all) => packed.size(all)),
  ]);
  return { python, model, everything };
}

/**
 * Fetch what any sentence needs (`everything`: and all that rare words need) and start Python.
 * @param {{ everything?: boolean, progress?: (done: Progress) => void, signal?: AbortSignal }} how
 * @returns {Promise<Model>}
 */
export async function load({ everything = false, ...how } = {}) {
  if (!(await packed.listed())) throw new Refusal("missing");
  await packed.load(everything ? packed.all() : packed.first(), how);
  return new Model();
}

const nameOf = (block) => {
  const name = `rows-${String(block).padStart(3, "0")}`;
  return packed.table[name] ? name : "rows";
};

/** Ask about a text; the rows that its words need are fetched first. */
async function askedOf(question) {
  for (let fetched = false; ; fetched = true) {
    try {
      return await packed.asked(question);
    } catch (error) {
      if (error.code !== "needs" || fetched) throw error;
      try {
        await packed.take(error.blocks.map(nameOf));
      } catch (failure) {
        const codes = { "files-lost": "offline", "files-damaged": "damaged" };
        const code = codes[failure.code];
        throw code ? new Refusal(code, { words: error.words }) : failure;
      }
    }
  }
}

/** The model, ready for sentences. */
class Model {
  /**
   * What a text would have to fetch first.
   * @param {string} text
   * @returns {Promise<{ bytes: number, words: string[] }>}
   */
  async wants(text) {
    const { blocks, words: wanting } = await packed.asked({ ask: "wants", text });
    return { bytes: packed.size(await packed.absent(blocks.map(nameOf))), words: wanting };
  }

  /**
   * @param {string} text
   * @returns {Promise<Sentence>}
   */
  sentence(text) {
    return made(text, []);
  }
}

async function made(text, cuts) {
  return new Sentence(await askedOf({ ask: "sentence", text, cuts }), cuts);
}

/** What the model made of a text. */
class Sentence {
  /** @param {any} answer  @param {Cut[]} cuts */
  constructor({ text, pieces, words: all, unknown, layers, heads, arrays }, cuts) {
    this.text = /** @type {string} */ (text);
    this.pieces = /** @type {Piece[]} */ (pieces);
    this.words = /** @type {Word[]} */ (all);
    /** Parts of the text that are in no piece: one vector stands for all of them. */
    this.unknown = /** @type {string[]} */ (unknown);
    this.layers = /** @type {number} */ (layers);
    this.heads = /** @type {number} */ (heads);
    this.cuts = cuts;
    /** Before the first layer and after each: n × 384 numbers. */
    this.hidden = /** @type {Float32Array[]} */ (arrays.slice(0, layers + 1));
    /** The attention weights of each layer: heads × n × n numbers. */
    this.weights = /** @type {Float32Array[]} */ (arrays.slice(layers + 1));
  }

  /**
   * One head taken apart: q, k and v (n × 32), scores as softmax gets them (n × n, divided by the
   * root of 32), and out (n × 384), a token's value times W_O: what it adds to whoever gives it
   * all of their attention weight.
   * @param {number} layer
   * @param {number} head
   */
  async vectors(layer, head) {
    const { arrays } = await askedOf({
      ask: "vectors",
      text: this.text,
      cuts: this.cuts,
      layer,
      head,
    });
    const [q, k, v, scores, out] = /** @type {Float32Array[]} */ (arrays);
    return { q, k, v, scores, out };
  }

  /**
   * The same text, computed anew with a head, the attention of a whole layer (no head given), or
   * what some words, or tokens, see of others taken away: in a pair the first no longer attends to
   * the second. Cuts of this sentence stay.
   * @param {Cut} cut
   * @returns {Promise<Sentence>}
   */
  cut(cut) {
    return made(this.text, [...this.cuts, cut]);
  }
}
