// A real decoder writes on from the reader's beginning, token by token: computed in Python
// (theme/runtime/decoder.py), with its cache or without. Nothing is fetched before `load`.
import { words } from "./language.mjs";

const { Packed, Refusal, pythonBytes, saidOf } = await globalThis.qkv.load("packed.mjs");

/** @typedef {import("./packed.mjs").Progress} Progress */
/** @typedef {{ id: number, text: string }} Token */
/**
 * @typedef {object} Step
 * @property {Token} token  the likeliest to follow
 * @property {string} text  the whole text with it
 * @property {boolean} over  whether it is the mark of an end
 * @property {number} seconds
 * @property {number} computed  how many tokens went through the layers for it
 * @property {number} bytes  of the keys and values that are kept
 * @property {Float32Array} weights  whom the last token looked at: layers × heads × n
 * @property {Float32Array} logits
 */

// Every sentence says what to do next; the other reasons are those of python.mjs.
const REASONS = words({
  empty: { zh: "这里还没有字。写个开头再试", en: "There are no words here yet. Write a beginning" },
  "too-long": {
    zh: ({ tokens, most }) => `这个开头有 ${tokens} 个词元，这里最多 ${most} 个。请写短一些`,
    en: ({ tokens, most }) => `These are ${tokens} tokens; here it takes ${most}. Write less`,
  },
  missing: {
    zh: "这个站点没有带上这个模型",
    en: "This copy of the site came without the model",
  },
});

/**
 * The sentence for what `load`, `begin` or `step` were rejected with.
 * @param {any} error
 * @returns {{ code: string, state: string, text: string }}
 */
export const said = (error) => saidOf(error, REASONS);

const packed = new Packed("decoder", (all) => ["frame", ...all.names(/^(layer|rows)-/)]);

/**
 * Bytes that are still to be fetched. Null where this build has no decoder.
 * @returns {Promise<{ python: number, model: number } | null>}
 */
export async function missing() {
  if (!(await packed.listed())) return null;
  const [python, model] = await Promise.all([
    pythonBytes(),
    packed.absent(packed.all()).then((all) => packed.size(all)),
  ]);
  return { python, model };
}

/**
 * Fetch the model and start Python.
 * @param {{ progress?: (done: Progress) => void, signal?: AbortSignal }} how
 * @returns {Promise<Decoder>}
 */
export async function load(how) {
  if (!(await packed.listed())) throw new Refusal("missing");
  await packed.load(packed.all(), how);
  return new Decoder();
}

/** The model, ready to write. */
class Decoder {
  /**
   * The tokens of a beginning, and how many a text may have.
   * @param {string} text
   * @returns {Promise<{ tokens: Token[], most: number, layers: number, heads: number }>}
   */
  begin(text) {
    return packed.asked({ ask: "begin", text });
  }

  /**
   * The next token of a text.
   * @param {number[]} ids
   * @param {boolean} cached  whether keys and values of earlier tokens are kept
   * @returns {Promise<Step>}
   */
  async step(ids, cached) {
    const { arrays, ...step } = await packed.asked({ ask: "step", ids, cached });
    const [weights, logits] = arrays;
    return { ...step, weights, logits };
  }
}
