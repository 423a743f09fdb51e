// The page's Python, off its main thread. Fetches its files, checks them, answers one question
// at a time. What goes wrong is told as a reason; scripts/python.mjs has the sentences.
const base = new URL(".", import.meta.url);
const say = self.postMessage.bind(self); // what follows takes it from whoever comes later
const failure = (reason, detail) => Object.assign(new Error(detail), { reason });
const fail = ({ reason = "crash", name, message }) =>
  say({ failed: reason, detail: reason === "crash" ? `${name}: ${message}` : message });

// What is left of this scope once Python has started: the language's own names, and what Pyodide
// works with. A snippet has neither page nor network nor storage, whatever it gets hold of. The
// page's Content-Security-Policy holds here too (python.mjs starts this worker so) and stops what
// would evaluate a text as JavaScript.
const LANGUAGE =
  "AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView " +
  "Date Error EvalError FinalizationRegistry Float32Array Float64Array Function Infinity " +
  "Int16Array Int32Array Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy " +
  "RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String SuppressedError Symbol " +
  "SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap " +
  "WeakRef WeakSet WebAssembly decodeURI decodeURIComponent encodeURI encodeURIComponent " +
  "globalThis isFinite isNaN parseFloat parseInt undefined";
const PYODIDE =
  "TextDecoder TextEncoder clearTimeout console crypto performance queueMicrotask setTimeout";
const KEPT = new Set(`${LANGUAGE} ${PYODIDE}`.split(" "));

function takeAway() {
  const inherited = [];
  for (let owner = globalThis; owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    inherited.push(owner);
  }
  for (const owner of inherited) {
    for (const name of Reflect.ownKeys(owner)) {
      if (!KEPT.has(String(name))) Reflect.deleteProperty(owner, name);
    }
  }
}

// Our own modules may import each other. A snippet finds none of them: they are forgotten below.
const OWN = `
import sys, types
def own(name, code):
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(code, f"{name}.py", "exec"), vars(module))
    return module
own
`;
const MODULES = ["session", "packed", "sentence", "decoder"];

// Python's way to this scope: the modules of JavaScript, and what would import them again.
const NO_JAVASCRIPT = `
import sys
for name in ${JSON.stringify(MODULES)}:
    del sys.modules[name]
from _pyodide._importhook import JsFinder, jsfinder
jsfinder.jsproxies.clear()
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, JsFinder)]
for name in ("js", "pyodide_js", "pyodide.code", "pyodide.http"):
    sys.modules[name] = None
`;

let Session, session;
// What is made of a model's files, by the kind of the model.
const MODELS = {
  model: ({ sentence }) => sentence.Sentences,
  decoder: ({ decoder }) => decoder.Continuations,
};
const makers = {};
let kind, model; // one at a time
let compresses = false; // whether the host does: then less comes than the files have

async function digest(blob) {
  // none on a plain http:// address: the size must do
  const hash = await crypto.subtle?.digest("SHA-256", await blob.arrayBuffer());
  return (
    hash && [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  );
}

/**
 * One of Pyodide's files, checked.
 * @param {RequestCache} cache
 */
async function take(name, about, progress, cache = "default") {
  const parts = [];
  let response;
  try {
    response = await fetch(new URL(name, base), { cache });
    const page = response.headers.get("Content-Type")?.startsWith("text/html"); // a portal's
    if (!response.ok || page) throw new Error(page ? "a page came instead" : response.status);
    if (!about) compresses = response.headers.has("Content-Encoding");
    for (let reader = response.body.getReader(), part; !(part = await reader.read()).done;) {
      parts.push(part.value);
      progress(part.value.length);
    }
  } catch (error) {
    throw failure("network", `${name}: ${error.message}`);
  }
  // Hosts do not all know what a .wasm is, and nothing compiles one that is called a text.
  const type = name.endsWith(".wasm") ? "application/wasm" : "";
  const blob = new Blob(parts, { type });
  if (
    !about ||
    (blob.size === about.bytes && [undefined, about.sha256].includes(await digest(blob)))
  )
    return blob;
  // What the browser had kept may be damaged: once more, past its cache.
  if (cache === "reload") throw failure("corrupt", name);
  return take(name, about, () => {}, "reload");
}

async function boot() {
  try {
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)); // the smallest there is
  } catch (error) {
    throw failure("wasm", error.message);
  }
  const list = await (await take("files.json", null, () => {})).text();
  let table;
  try {
    table = JSON.parse(list);
  } catch {
    throw failure("network", "files.json");
  }
  const sum = (kind) => Object.values(table).reduce((all, file) => all + file[kind], 0);
  const bytes = sum("bytes"),
    total = compresses ? sum("compressed") : bytes;
  let seen = 0;
  const progress = (came) => say({ progress: Math.min(1, (seen += came) / bytes), total });
  /** @type {Map<string, Blob>} */
  const kept = new Map();
  const fetched = async ([name, about]) =>
    kept.set(new URL(name, base).href, await take(name, about, progress));
  await Promise.all(Object.entries(table).map(fetched));
  // What Pyodide asks for is what was checked.
  globalThis.fetch = async (url) => {
    const blob = kept.get(String(url));
    return blob ? new Response(blob, { headers: { "Content-Type": blob.type } }) : Response.error();
  };
  const { loadPyodide } = await import(new URL("pyodide.mjs", base).href);
  const python = await loadPyodide({
    indexURL: base.href,
    lockFileURL: new URL("pyodide-lock.json", base).href,
    packages: ["numpy", "qkv-docs"],
    jsglobals: {}, // `import js` finds nothing
    enableRunUntilComplete: false,
  });
  // Nothing is ever put into it, but Python looks now and then whether there is: WebKit ends a worker
  // only where WebAssembly comes by JavaScript, and an endless loop would go on until the tab closes.
  python.setInterruptBuffer(new Uint8Array(1));
  for (const name of ["numpy", "qkv-docs"]) {
    // Pyodide goes on without what it refused
    if (!python.loadedPackages[name]) throw failure("corrupt", name);
  }
  const own = python.runPython(OWN, { globals: python.toPy({}) });
  /** @type {any} */
  const modules = {};
  for (const name of MODULES) {
    modules[name] = own(name, await kept.get(new URL(`${name}.py`, base).href).text());
  }
  ({ Session } = modules.session);
  for (const [name, make] of Object.entries(MODELS)) makers[name] = make(modules);
  python.runPython(NO_JAVASCRIPT);
  takeAway();
}

boot().then(() => say({ answer: "ready" }), fail);

const TOLD = ["out", "drawing", "snapshot"]; // what a session may tell of itself

/** A snippet. */
function run({ place, code, label, want, goOn, alone }) {
  if (place === 0) {
    session?.destroy();
    const tell = (kind, text) => say(TOLD.includes(kind) ? { [kind]: text } : { failed: "odd" });
    session = Session(tell, alone);
  }
  say({ answer: JSON.parse(session.run(place, code, label, want, goOn)) });
}

/** A file of a model, which the page has fetched and checked; or a question about it. */
function ask({ kind: wanted, file, question }) {
  if (wanted !== kind) {
    model?.destroy();
    model = makers[wanted]();
    kind = wanted;
  }
  if (file) {
    const [name, bytes] = file;
    model.bring(name, bytes);
    bytes.buffer.transfer?.(0); // or it is in memory twice until somebody collects it
    say({ answer: { end: "" } });
    return;
  }
  const answer = model.ask(JSON.stringify(question));
  const found = answer.get(1);
  /** @type {ArrayBufferView<ArrayBuffer>[]} */
  const arrays = [];
  for (let n = 0; n < found.length; n += 1) {
    const array = found.get(n);
    const view = array.getBuffer();
    arrays.push(view.data.slice());
    view.release();
    array.destroy();
  }
  const about = JSON.parse(answer.get(0));
  for (const proxy of [found, answer]) proxy.destroy();
  say({ answer: { ...about, arrays } }, { transfer: arrays.map(({ buffer }) => buffer) });
}

self.addEventListener("message", ({ data }) => {
  try {
    if (data.model) ask(data.model);
    else run(data);
  } catch (error) {
    fail(error); // Python itself broke down
  }
});
