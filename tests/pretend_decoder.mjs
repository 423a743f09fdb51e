// Stands in for assets/scripts/decoder.mjs: the same calls, tokens and numbers made up. `pretended`
// has what was asked of it, `pretend` says how it is to fail.
globalThis.pretended = { loads: 0, steps: [] };
globalThis.pretend ??= {};
const LAYERS = 30,
  HEADS = 9;
let here = false;

export const missing = async () => {
  if (globalThis.pretend.none) return null;
  return here ? { python: 0, model: 0 } : { python: 9_000_000, model: 97_000_000 };
};
const failure = (code) => Object.assign(new Error(code), { code });
export const said = (error) => {
  if (!error.code) throw error;
  return { code: error.code, state: "bad", text: `why: ${error.code}` };
};

/** A long row that falls to the left, another in each head. */
const row = (layer, head, n) => {
  const powers = Array.from({ length: n }, (_, j) => Math.exp(((j * (layer + 1)) % (head + 2)) / 2));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
};

export async function load({ progress, signal }) {
  globalThis.pretended.loads += 1;
  for (let received = 0; received <= 106e6; received += 106e5) {
    if (globalThis.pretend.load) throw failure(globalThis.pretend.load);
    progress({ received, total: 106e6, what: "files" });
    do await new Promise((done) => setTimeout(done, 2));
    while (globalThis.pretend.slow && !signal.aborted);
    if (signal.aborted) throw failure("stopped");
  }
  progress({ received: 106e6, total: 106e6, what: "unpacking" });
  here = true;
  let kept = 0;
  const named = (text) => ({ id: [...text].reduce((sum, c) => sum + c.codePointAt(0), 0), text });
  return {
    async begin(text) {
      if (!text.trim()) throw failure("empty");
      const tokens = text.match(/\s*\S+/g).map(named);
      return { tokens, most: 60, layers: LAYERS, heads: HEADS };
    },
    async step(ids, cached) {
      globalThis.pretended.steps.push({ ids, cached });
      if (globalThis.pretend.step === ids.length) throw failure("memory");
      while (globalThis.pretend.hold === ids.length) await new Promise((done) => setTimeout(done, 5));
      const n = ids.length,
        computed = cached ? n - (kept < n ? kept : 0) : n;
      kept = cached ? n : 0;
      const all = Array.from({ length: LAYERS * HEADS }, (_, i) =>
        row(Math.floor(i / HEADS), i % HEADS, n),
      );
      return {
        token: n % 7 ? named(` <b>${n}</b>`) : named("\n"),
        over: n === globalThis.pretend.end,
        seconds: 0.1 + 0.05 * computed,
        computed,
        bytes: 46_080 * kept,
        weights: Float32Array.from(all.flat()),
        logits: new Float32Array(9),
      };
    },
  };
}
