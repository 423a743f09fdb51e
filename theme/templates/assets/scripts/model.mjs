// A real model for sentences of the reader's own: its files are fetched here, checked and kept, and
// what it makes of a sentence is computed in Python (theme/runtime/sentence.py). Nothing is
// fetched before `load`; a rare word fetches its rows of the embedding table when it comes.
import { words } from "./language.mjs";

const { Failure, Turn, folder, started, told } = await globalThis.qkv.load("python.mjs");

/** @typedef {{ file: string, bytes: number, sha256: string }} About a file, as the build lists it */
/** @typedef {{ received: number, total: number, what: "files" | "unpacking" }} Progress */
/** @typedef {{ text: string, id: number, word: number | null, start: number, end: number }} Piece */
/** @typedef {{ text: string, pieces: number[] }} Word */
/** @typedef {{ layer?: number, head?: number, words?: [number, number][], tokens?: [number, number][] }} Cut */

const CACHE = "qkv-model"; // kept from visit to visit; the names of its files have their hash
const AT_ONCE = 6; // files, as many as a browser asks of one host

const WORDS = words({
  separator: { zh: "、", en: ", " },
});

// Every sentence says what to do next; the other reasons are those of python.mjs.
const REASONS = words({
  empty: { zh: "这里还没有字。写一句话再试", en: "There are no words here yet. Write a sentence" },
  "too-long": {
    zh: ({ tokens, most }) => `这段话有 ${tokens} 个词元，这里最多 ${most} 个。请写短一些`,
    en: ({ tokens, most }) => `These are ${tokens} tokens; here it takes ${most}. Write less`,
  },
  unknown: {
    zh: ({ names, plain }) =>
      `这里的词表只有中文和不带附加符号的拉丁字母，写不了：${names}。` +
      (plain ? `可以写成 ${plain}` : "换个写法再试"),
    en: ({ names, plain }) =>
      `The vocabulary here writes Chinese, and Latin letters without accents: not ${names}. ` +
      (plain ? `Write ${plain}` : "Try other words"),
  },
  offline: {
    zh: ({ names }) => `没有网络，取不到这些词的向量：${names}。连上网络后再试，或换掉它们`,
    en: ({ names }) =>
      `No network, and these words need vectors that are not here: ${names}. ` +
      "Try again with a network, or without them",
  },
  "files-lost": {
    zh: "模型的文件没有取全，取到的已经留下。检查网络后再按一次",
    en:
      "Some files of the model did not arrive; what came is kept. Check the connection and press " +
      "again",
  },
  "files-damaged": {
    zh: "取到的模型文件损坏了，没有使用。再按一次会重取",
    en: "A file of the model arrived damaged and was not used. Press again to fetch it anew",
  },
  damaged: {
    zh: ({ names }) => `取到的文件损坏了，没有使用（要用它的词：${names}）。再试一次会重取`,
    en: ({ names }) =>
      `A file arrived damaged and was not used; it is needed for ${names}. ` +
      "Try again to fetch it anew",
  },
  missing: {
    zh: "这份网站没有带上模型，只有页面里已有的句子",
    en: "This copy of the site came without the model: there are only the sentences of the page",
  },
});

/** Words without the accents on their letters; nothing where they have other foreign letters. */
function unaccented(all) {
  const plain = all.map((word) => word.normalize("NFD").replace(/\p{M}/gu, ""));
  const foreign = /(?!\p{Script=Han})[^\P{L}a-z]/iu;
  return plain.some((word) => foreign.test(word)) ? "" : plain.join(WORDS.separator);
}

/** Why there is nothing to show: a code, and the words it is about. */
class Refusal extends Error {
  /** @param {string} code  @param {any} [about] */
  constructor(code, about = {}) {
    super(code);
    this.code = this.reason = code;
    Object.assign(this, about);
  }
}

/**
 * The sentence for what `load`, `sentence`, `vectors` or `cut` were rejected with.
 * @param {any} error
 * @returns {{ code: string, state: string, text: string }}
 */
export function said(error) {
  const code = error?.code;
  if (error instanceof Refusal && Object.hasOwn(REASONS, code)) {
    const sentence = REASONS[code];
    const about = /** @type {any} */ (error);
    const some = (about.words ?? []).slice(0, 5);
    const [names, plain] = [some.join(WORDS.separator), unaccented(some)];
    const text = typeof sentence === "string" ? sentence : sentence({ ...about, names, plain });
    return { code, state: "bad", text };
  }
  const { reason, state, text } = told(error instanceof Refusal ? code : error);
  return { code: reason, state, text };
}

// ---- The files ----

const address = () =>
  /** @type {HTMLElement | null} */ (document.querySelector("script[data-model]"))?.dataset.model;

/** @type {Record<string, About> | undefined} */
let table;

/** What there is, by name; nothing where this build has no model. */
async function listed() {
  if (!address() || !folder()) return null;
  try {
    table ??= await (await fetch(address())).json();
  } catch {
    throw new Refusal("files-lost");
  }
  return table;
}

/** Those that any sentence needs, in the order in which they are taken in; then the rare rows. */
const frame = () => ["frame", "vocabulary", ...names(/^layer-/), "rows"];
const rare = () => names(/^rows-/);
const names = (kind) => Object.keys(table).filter((name) => kind.test(name));
const size = (all) => all.reduce((sum, name) => sum + table[name].bytes, 0);
const url = (name) => new URL(table[name].file, address()).href;

/** @type {Map<string, Blob>} */
const here = new Map(); // fetched, checked

/** Of some files those that neither this page nor the browser has. */
async function absent(all) {
  const found = await Promise.all(
    all.map(async (name) => here.has(name) || Boolean(await cached(url(name)))),
  );
  return all.filter((_, n) => !found[n]);
}

/** What is kept under an address; blocked storage has nothing. */
const cached = (at) => globalThis.caches?.match(at).catch(() => undefined);

async function whole(blob, { bytes, sha256 }) {
  if (blob.size !== bytes) return false;
  const hash = await crypto.subtle?.digest("SHA-256", await blob.arrayBuffer());
  if (!hash) return true; // a plain http:// address: the size must do
  const text = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return text === sha256;
}

/** @param {RequestCache} cache */
async function download(name, hear, signal, cache = "default") {
  const parts = [];
  try {
    const response = await fetch(url(name), { cache, signal });
    const page = response.headers.get("Content-Type")?.startsWith("text/html"); // a portal's
    if (!response.ok || page) throw new Error("something else came");
    for (let reader = response.body.getReader(), part; !(part = await reader.read()).done;) {
      parts.push(part.value);
      hear(part.value.length);
    }
  } catch {
    throw signal?.aborted ? new Failure("stopped") : new Refusal("files-lost");
  }
  const blob = new Blob(parts);
  if (await whole(blob, table[name])) return blob;
  if (cache === "reload") throw new Refusal("files-damaged");
  return download(name, () => {}, signal, "reload"); // past what the browser had kept
}

/** One file: from this page, from what is kept, from the network. */
async function take(name, hear, signal) {
  if (here.has(name)) return;
  const found = await cached(url(name));
  const kept = await found?.blob().catch(() => undefined); // it may have been thrown away meanwhile
  if (kept && (await whole(kept, table[name]))) {
    here.set(name, kept);
    return;
  }
  const blob = await download(name, hear, signal);
  here.set(name, blob);
  try {
    const cache = await caches.open(CACHE);
    await cache.put(url(name), new Response(blob));
  } catch {
    // Storage is blocked or full: it is here until the page is left.
  }
}

async function takeAll(all, hear, signal) {
  const waiting = [...all];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let name; (name = waiting.shift());) {
        try {
          await take(name, hear, signal);
        } catch (error) {
          waiting.length = 0; // what has come is kept: the next try goes on from there
          throw error;
        }
      }
    }),
  );
}

/** What is kept of an earlier release goes. */
async function tidy() {
  const wanted = new Set(Object.keys(table).map(url));
  try {
    const cache = await caches.open(CACHE);
    for (const { url: at } of await cache.keys()) if (!wanted.has(at)) await cache.delete(at);
  } catch {
    // Blocked: nothing is kept.
  }
}

/** What is still to come of Python: over the wire, where the host compresses. */
async function pythonBytes() {
  const list = new URL("files.json", folder()).href;
  if (started() || (await cached(list))) return 0;
  try {
    const answer = await fetch(list),
      kind = answer.headers.has("Content-Encoding") ? "compressed" : "bytes";
    return Object.values(await answer.json()).reduce((sum, file) => sum + file[kind], 0);
  } catch (error) {
    throw new Failure("network", String(error.message));
  }
}

/**
 * Bytes that are still to be fetched: Python, what any sentence needs of the model, and all that a
 * rare word may need besides. Null where this build has no model.
 * @returns {Promise<{ python: number, model: number, everything: number } | null>}
 */
export async function missing() {
  if (!(await listed())) return null;
  const [python, model, everything] = await Promise.all([
    pythonBytes(),
    absent(frame()).then(size),
    absent([...frame(), ...rare()]).then(size),
  ]);
  return { python, model, everything };
}

// ---- Asking Python, one thing after another ----

/** @type {Promise<void>} */
let last = Promise.resolve();
/** @type {any} */
let turn;

/** @returns {Promise<any>} */
async function asked(question, hear, files = here) {
  const before = last;
  let done;
  last = new Promise((resolve) => {
    done = resolve;
  });
  await before;
  try {
    turn = new Turn(() => {});
    const order = [...frame(), ...rare()].filter((name) => files.has(name));
    const inOrder = new Map(order.map((name) => [name, files.get(name)]));
    const answer = await turn.ask(inOrder, question, hear);
    if (answer.end) throw new Refusal(answer.end, answer);
    return answer;
  } finally {
    done();
  }
}

/**
 * Fetch what any sentence needs (`everything`: and all that rare words need) and start Python.
 * @param {{ everything?: boolean, progress?: (done: Progress) => void, signal?: AbortSignal }} how
 * @returns {Promise<Model>}
 */
export async function load({ everything = false, progress = () => {}, signal } = {}) {
  if (!(await listed())) throw new Refusal("missing");
  const all = everything ? [...frame(), ...rare()] : frame();
  const lacking = await absent(all);
  let python = { received: 0, total: await pythonBytes().catch(() => 0) };
  let received = 0;
  const total = size(lacking);
  const tell = (what) =>
    progress({ received: received + python.received, total: total + python.total, what });
  const fetching = new AbortController();
  const stop = () => {
    fetching.abort();
    turn?.end("stopped");
  };
  signal?.addEventListener("abort", stop);
  try {
    signal?.throwIfAborted();
    const booted = asked(
      null,
      (data) => {
        if (typeof data.progress !== "number") return;
        if (python.total) python = { received: data.progress * data.total, total: data.total };
        tell("files");
      },
      new Map(),
    );
    const came = takeAll(
      all,
      (bytes) => {
        received = Math.min(total, received + bytes);
        tell("files");
      },
      fetching.signal,
    );
    await Promise.all([booted, came]);
    tell("unpacking");
    await asked(null);
    tidy();
    return new Model();
  } catch (error) {
    fetching.abort(); // where Python does not start, nothing more is fetched
    throw signal?.aborted ? new Failure("stopped") : error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

const nameOf = (block) => {
  const name = `rows-${String(block).padStart(3, "0")}`;
  return table[name] ? name : "rows";
};

/** Ask about a text; the rows that its words need are fetched first. */
async function askedOf(question) {
  for (let fetched = false; ; fetched = true) {
    try {
      return await asked(question);
    } catch (error) {
      if (error.code !== "needs" || fetched) throw error;
      try {
        await takeAll(error.blocks.map(nameOf), () => {});
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
    const { blocks, words: wanting } = await asked({ ask: "wants", text });
    return { bytes: size(await absent(blocks.map(nameOf))), words: wanting };
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
  constructor({ text, pieces, words: all, layers, heads, arrays }, cuts) {
    this.text = /** @type {string} */ (text);
    this.pieces = /** @type {Piece[]} */ (pieces);
    this.words = /** @type {Word[]} */ (all);
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
