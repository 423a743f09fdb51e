// A real model for the reader's Python: its files, as the build has packed them, are fetched here,
// checked and kept, and Python is asked about them. Nothing is fetched before `load`. What is
// particular to a model is in the script that asks for it: model.mjs, decoder.mjs.
import { words } from "./language.mjs";

const { Failure, Turn, folder, started, told } = await globalThis.qkv.load("python.mjs");

/** @typedef {{ file: string, bytes: number, sha256: string }} About a file, as the build lists it */
/** @typedef {{ received: number, total: number, what: "files" | "unpacking" }} Progress */

const CACHE = "qkv-model"; // kept from visit to visit; the names of its files have their hash
const AT_ONCE = 6; // files, as many as a browser asks of one host

// Every sentence says what to do next; those of one model are in its own script.
const REASONS = words({
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
});

/** Why there is nothing to show: a code, and what it is about. */
export class Refusal extends Error {
  /** @param {string} code  @param {any} [about] */
  constructor(code, about = {}) {
    super(code);
    this.code = this.reason = code;
    Object.assign(this, about);
  }
}

/**
 * The sentence for what a model was rejected with: one of `own`, of those above, or of python.mjs.
 * @param {any} error
 * @param {Record<string, string | ((about: any) => string)>} own
 * @returns {{ code: string, state: string, text: string }}
 */
export function saidOf(error, own) {
  const code = error?.code,
    reasons = { ...REASONS, ...own };
  if (error instanceof Refusal && Object.hasOwn(reasons, code)) {
    const sentence = reasons[code];
    return { code, state: "bad", text: typeof sentence === "string" ? sentence : sentence(error) };
  }
  const { reason, state, text } = told(error instanceof Refusal ? code : error);
  return { code: reason, state, text };
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

/** What is still to come of Python: over the wire, where the host compresses. */
export async function pythonBytes() {
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

// Python is asked one thing after another.
/** @type {Promise<void>} */
let last = Promise.resolve();
/** @type {any} */
let turn;

export class Packed {
  /** @type {Record<string, About> | undefined} */
  table;
  /** @type {Map<string, Blob>} */
  here = new Map(); // fetched, checked

  /**
   * @param {string} kind  data-… of start.js that has the address of the list, and its name in
   *   worker.mjs
   * @param {(about: Packed) => string[]} first  the files that any question needs, in the order in
   *   which they are taken in; those that `names` has besides come after them
   */
  constructor(kind, first) {
    this.kind = kind;
    this.first = () => first(this);
    this.all = () => [...new Set([...this.first(), ...this.names()])];
  }

  get address() {
    const start = document.querySelector(`script[data-${this.kind}]`);
    return /** @type {HTMLElement | null} */ (start)?.dataset[this.kind];
  }

  /** What there is, by name; nothing where this build has no such model. */
  async listed() {
    if (!this.address || !folder()) return null;
    try {
      this.table ??= await (await fetch(this.address)).json();
    } catch {
      throw new Refusal("files-lost");
    }
    return this.table;
  }

  names(kind = /./) {
    return Object.keys(this.table).filter((name) => kind.test(name));
  }

  size(names) {
    return names.reduce((sum, name) => sum + this.table[name].bytes, 0);
  }

  url(name) {
    return new URL(this.table[name].file, this.address).href;
  }

  /** Of some files those that neither this page nor the browser has. */
  async absent(names) {
    const found = await Promise.all(
      names.map(async (name) => this.here.has(name) || Boolean(await cached(this.url(name)))),
    );
    return names.filter((_, n) => !found[n]);
  }

  /** @param {RequestCache} cache */
  async #download(name, hear, signal, cache = "default") {
    const parts = [];
    try {
      const response = await fetch(this.url(name), { cache, signal });
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
    if (await whole(blob, this.table[name])) return blob;
    if (cache === "reload") throw new Refusal("files-damaged");
    return this.#download(name, () => {}, signal, "reload"); // past what the browser had kept
  }

  /** One file: from this page, from what is kept, from the network. */
  async #take(name, hear, signal) {
    if (this.here.has(name)) return;
    const found = await cached(this.url(name));
    const kept = await found?.blob().catch(() => undefined); // it may have been thrown away meanwhile
    if (kept && (await whole(kept, this.table[name]))) {
      this.here.set(name, kept);
      return;
    }
    const blob = await this.#download(name, hear, signal);
    this.here.set(name, blob);
    try {
      const cache = await caches.open(CACHE);
      await cache.put(this.url(name), new Response(blob));
    } catch {
      // Storage is blocked or full: it is here until the page is left.
    }
  }

  /**
   * @param {string[]} names
   * @param {(bytes: number) => void} [hear]  as they arrive
   * @param {AbortSignal} [signal]
   */
  async take(names, hear = () => {}, signal = undefined) {
    const waiting = [...names];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let name; (name = waiting.shift());) {
          try {
            await this.#take(name, hear, signal);
          } catch (error) {
            waiting.length = 0; // what has come is kept: the next try goes on from there
            throw error;
          }
        }
      }),
    );
  }

  /** What is kept of an earlier release goes. */
  async #tidy() {
    const folder_ = new URL(".", this.address).href;
    const wanted = new Set(this.names().map((name) => this.url(name)));
    try {
      const cache = await caches.open(CACHE);
      for (const { url } of await cache.keys()) {
        if (url.startsWith(folder_) && !wanted.has(url)) await cache.delete(url);
      }
    } catch {
      // Blocked: nothing is kept.
    }
  }

  /**
   * Ask Python, after the files of the model that it lacks were brought.
   * @returns {Promise<any>}
   */
  async asked(question, hear = undefined, files = this.here) {
    const before = last;
    let done;
    last = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    try {
      turn = new Turn(() => {});
      const order = this.all().filter((name) => files.has(name));
      const inOrder = new Map(order.map((name) => [name, files.get(name)]));
      const answer = await turn.ask(this.kind, inOrder, question, hear);
      if (answer.end) throw new Refusal(answer.end, answer);
      return answer;
    } finally {
      done();
    }
  }

  /**
   * Fetch some files and start Python with them.
   * @param {string[]} names
   * @param {{ progress?: (done: Progress) => void, signal?: AbortSignal }} how
   */
  async load(names, { progress = () => {}, signal } = {}) {
    const lacking = await this.absent(names);
    let python = { received: 0, total: await pythonBytes().catch(() => 0) };
    let received = 0;
    const total = this.size(lacking);
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
      const booted = this.asked(
        null,
        (data) => {
          if (typeof data.progress !== "number") return;
          if (python.total) python = { received: data.progress * data.total, total: data.total };
          tell("files");
        },
        new Map(),
      );
      const came = this.take(
        names,
        (bytes) => {
          received = Math.min(total, received + bytes);
          tell("files");
        },
        fetching.signal,
      );
      await Promise.all([booted, came]);
      tell("unpacking");
      await this.asked(null);
      this.#tidy();
    } catch (error) {
      fetching.abort(); // where Python does not start, nothing more is fetched
      throw signal?.aborted ? new Failure("stopped") : error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
}
