// Stands in for assets/scripts/model.mjs: the same calls, numbers from the letters of a text.
// `pretended` counts what was asked of it, `pretend` says how it is to fail.
globalThis.pretended = { loads: 0, everything: false, sentences: [], cuts: [] };
globalThis.pretend ??= {};
let here = false;

const failure = (code) => Object.assign(new Error(code), { code });
export const missing = async () => {
  if (globalThis.pretend.missing) throw failure(globalThis.pretend.missing);
  if (globalThis.pretend.none) return null;
  return here
    ? { python: 0, model: 0, everything: 0 }
    : { python: 9_000_000, model: 13_000_000, everything: 35_000_000 };
};
export const said = (error) => {
  if (!error.code) throw error;
  return { code: error.code, state: "bad", text: `why: ${error.code}` };
};
const LAYERS = 12,
  HEADS = 12,
  D = 384,
  D_K = 32;
const noise = (...seeds) => Math.sin(seeds.reduce((sum, x, i) => sum + x * (i + 1) * 7.13, 1.7) * 91.7);

function read(text) {
  const words = text.match(/\p{Script=Han}|[^\s\p{Script=Han}]+/gu);
  const pieces = [{ text: "<s>", id: 0, word: null, start: 0, end: 0 }];
  const found = words.map((word) => ({ text: word, pieces: [] }));
  let at = 0;
  for (const [w, word] of words.entries()) {
    at = text.indexOf(word, at);
    // a long word is two tokens
    const cuts = word.length > 6 ? [word.slice(0, 4), word.slice(4)] : [word];
    for (const part of cuts) {
      found[w].pieces.push(pieces.length);
      const id = [...part].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 997, 7);
      pieces.push({ text: part === cuts[0] ? `▁${part}` : part, id, word: w, start: at, end: at + part.length });
      at += part.length;
    }
  }
  pieces.push({ text: "</s>", id: 2, word: null, start: text.length, end: text.length });
  return { words: found, pieces };
}

function run(text, { layer = null, head = null, tokens: hidden = [] } = {}) {
  const { words, pieces } = read(text);
  const n = pieces.length,
    ids = pieces.map(({ id }) => id);
  const cutAt = (l, h) => (layer === null || layer === l) && (head === null || head === h);
  const hiddenHere = new Set(hidden.map(String));
  const part = (kind, l, h) =>
    Float32Array.from({ length: n * D_K }, (_, at) => noise(kind, l, h, ids[Math.floor(at / D_K)], at % D_K));
  const scored = (l, h) => {
    const [q, k] = [part(1, l, h), part(2, l, h)];
    return Float32Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let sum = 0;
      for (let c = 0; c < D_K; c += 1) sum += q[i * D_K + c] * k[j * D_K + c];
      return sum / Math.sqrt(D_K);
    });
  };
  const weights = Array.from({ length: LAYERS }, (_, l) => {
    const all = new Float32Array(HEADS * n * n);
    for (let h = 0; h < HEADS; h += 1) {
      const scores = scored(l, h);
      for (let i = 0; i < n; i += 1) {
        const row = Array.from({ length: n }, (_, j) =>
          cutAt(l, h) && hiddenHere.has(`${i},${j}`) ? 0 : Math.exp(scores[i * n + j]),
        );
        const sum = row.reduce((a, b) => a + b, 0) || 1;
        for (const [j, x] of row.entries()) all[(h * n + i) * n + j] = x / sum;
      }
    }
    return all;
  });
  const hiddenStates = [
    Float32Array.from({ length: n * D }, (_, at) => noise(ids[Math.floor(at / D)], at % D)),
  ];
  for (let l = 0; l < LAYERS; l += 1) {
    const before = hiddenStates[l],
      after = new Float32Array(n * D);
    for (let i = 0; i < n; i += 1)
      for (let c = 0; c < D; c += 1) {
        let sum = before[i * D + c];
        const h = c % HEADS; // a head for each twelfth component
        for (let j = 0; j < n; j += 1) sum += 0.5 * weights[l][(h * n + i) * n + j] * before[j * D + c];
        after[i * D + c] = sum / 1.5;
      }
    hiddenStates.push(after);
  }
  return {
    text,
    pieces,
    words,
    unknown: words.map((word) => word.text).filter((word) => word === "🫠"),
    layers: LAYERS,
    heads: HEADS,
    hidden: hiddenStates,
    weights,
    async vectors(l, h) {
      const out = Float32Array.from({ length: n * D }, (_, at) => noise(4, l, h, at) / 10);
      return { q: part(1, l, h), k: part(2, l, h), v: part(3, l, h), scores: scored(l, h), out };
    },
    async cut(what) {
      globalThis.pretended.cuts.push(what);
      return run(text, what);
    },
  };
}

export async function load({ everything, progress, signal }) {
  globalThis.pretended.loads += 1;
  globalThis.pretended.everything = everything;
  const total = 22_000_000 + (everything ? 22_000_000 : 0);
  for (let received = 0; received <= total; received += total / 10) {
    if (signal.aborted) throw failure("stopped");
    if (globalThis.pretend.load) throw failure(globalThis.pretend.load);
    progress({ received, total, what: "files" });
    do await new Promise((done) => setTimeout(done, 5));
    while (globalThis.pretend.slow && !signal.aborted);
  }
  progress({ received: total, total, what: "unpacking" });
  here = true;
  return {
    wants: async (text) => ({ bytes: text.includes("zebra") ? 110_000 : 0, words: [] }),
    async sentence(text) {
      globalThis.pretended.sentences.push(text);
      if (!text) throw failure("empty");
      if (text.includes("café")) throw failure("unknown");
      if (globalThis.pretend.sentence) throw failure(globalThis.pretend.sentence);
      return run(text);
    },
  };
}
