// Arrays of numbers that came as text: little-endian, in base64, deflated or not.
// docs/data/packing.py packs them; tests/test_unpack.py compares the two.

const KINDS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, float32: Float32Array };

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/**
 * The numbers, flat.
 * @param {string} text
 * @param {keyof typeof KINDS} kind
 */
export const unpack = (text, kind) => new KINDS[kind](bytes(text).buffer);

/**
 * The same of what was deflated.
 * @param {string} text
 * @param {keyof typeof KINDS} kind
 */
export const inflate = async (text, kind) => {
  const inflated = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new KINDS[kind](await new Response(inflated).arrayBuffer());
};

/**
 * A flat array in this shape, each number times `unit`: (n, m) is a list of rows, and so on.
 * @param {ArrayLike<number>} flat
 * @param {number[]} shape
 * @returns {any}
 */
export const shaped = (flat, [n, ...rest], unit = 1) => {
  const size = flat.length / n;
  const part = (i) => Array.prototype.slice.call(flat, i * size, (i + 1) * size);
  return Array.from({ length: n }, (_, i) =>
    rest.length ? shaped(part(i), rest, unit) : flat[i] * unit,
  );
};
