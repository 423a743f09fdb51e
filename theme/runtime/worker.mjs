// The page's Python, off its main thread. Fetches its files, checks them, answers one question
// at a time. What goes wrong is told as a reason; run.mjs has the sentences.
const base = new URL(".", import.meta.url);
const failure = (reason, detail) => Object.assign(new Error(detail), { reason });
const fail = ({ reason = "crash", name, message }) =>
  postMessage({ failed: reason, detail: reason === "crash" ? `${name}: ${message}` : message });

let Session, session;

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
    if (!response.ok) throw new Error(response.status);
    for (let reader = response.body.getReader(), part; !(part = await reader.read()).done;) {
      parts.push(part.value);
      progress(part.value.length);
    }
  } catch (error) {
    throw failure("network", `${name}: ${error.message}`);
  }
  const blob = new Blob(parts, { type: response.headers.get("Content-Type") });
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
  const table = JSON.parse(await (await take("files.json", null, () => {})).text());
  const total = Object.values(table).reduce((sum, file) => sum + file.bytes, 0);
  let seen = 0;
  const progress = (bytes) =>
    postMessage({ progress: Math.min(1, (seen += bytes) / total), total });
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
  for (const name of ["numpy", "qkv-docs"]) {
    // Pyodide goes on without what it refused
    if (!python.loadedPackages[name]) throw failure("corrupt", name);
  }
  const module = python.toPy({ __name__: "session" });
  python.runPython(await kept.get(new URL("session.py", base).href).text(), {
    globals: module,
    filename: "session.py",
  });
  Session = module.get("Session");
  // A snippet has neither page nor network. The page's Content-Security-Policy holds here too
  // (python.mjs starts this worker so) and stops what would evaluate text as JavaScript or ask
  // another host; this is for what the site itself has stored.
  python.runPython(
    "import sys\n" +
      "for name in ('js', 'pyodide_js', 'pyodide.code', 'pyodide.http'): sys.modules[name] = None",
  );
  for (const name of [
    "fetch",
    "XMLHttpRequest",
    "WebSocket",
    "EventSource",
    "WebTransport",
    "Worker",
    "caches",
    "indexedDB",
    "BroadcastChannel",
  ]) {
    for (let owner = globalThis; owner; owner = Object.getPrototypeOf(owner)) delete owner[name];
  }
}

boot().then(() => postMessage({ answer: "ready" }), fail);

onmessage = ({ data: { place, code, label, want, goOn, alone } }) => {
  try {
    if (place === 0) {
      session?.destroy();
      session = Session((kind, text) => postMessage({ [kind]: text }), alone);
    }
    postMessage({ answer: JSON.parse(session.run(place, code, label, want, goOn)) });
  } catch (error) {
    // Python itself broke down
    fail(error);
  }
};
