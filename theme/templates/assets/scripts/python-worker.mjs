// The page's Python, off its main thread. Nothing runs here that does not have the hash the
// build gave it, and a snippet has neither page nor network.
const base = new URL(new URL(location).searchParams.get("python"));
const LIMIT = 50_000; // characters that one run may print

let session, same, id, left, said;

// Fetched with progress and checked; what Pyodide then asks for is handed to it from here.
async function collect() {
  const files = await (await fetch(new URL("files.json", base))).json();
  const total = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  const kept = new Map();
  let seen = 0;
  await Promise.all(Object.entries(files).map(async ([name, { integrity }]) => {
    const response = await fetch(new URL(name, base), { integrity });
    if (!response.ok) throw new Error(`${response.status} ${name}`);
    const parts = [];
    for (let reader = response.body.getReader(), part; !(part = await reader.read()).done;) {
      parts.push(part.value);
      seen += part.value.length;
      postMessage({ progress: seen / total, total });
    }
    kept.set(new URL(name, base).href, [new Blob(parts), response.headers.get("Content-Type")]);
  }));
  return kept;
}

async function boot() {
  const kept = await collect();
  globalThis.fetch = async (url) => {
    const [body, type] = kept.get(String(url)) ?? [];
    return body ? new Response(body, { headers: { "Content-Type": type } }) : Response.error();
  };
  const { loadPyodide } = await import(new URL("pyodide.mjs", base));
  const python = await loadPyodide({
    indexURL: base.href,
    lockFileURL: new URL("pyodide-lock.json", base).href,
    packages: ["numpy", "qkv-docs"],
    jsglobals: {}, // `import js` finds nothing
    enableRunUntilComplete: false,
    stdin: () => { throw new Error("input() is not available here"); },
  });
  for (const name of ["numpy", "qkv-docs"]) {
    if (!python.loadedPackages[name]) throw new Error(`${name} was not loaded`);
  }
  const source = await (await fetch(new URL("session.py", base))).text();
  const module = python.toPy({ __name__: "session" });
  python.runPython(source, { globals: module, filename: "session.py" });
  same = module.get("same");
  python.runPython("import sys; sys.modules['pyodide_js'] = sys.modules['pyodide.code'] = sys.modules['pyodide.http'] = None");
  for (const name of ["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "caches", "indexedDB", "BroadcastChannel"]) {
    Object.defineProperty(globalThis, name, { value: undefined });
  }
  const say = (text) => {
    if (left > 0) said += text + "\n";
    if (left > 0) postMessage({ id, out: text.slice(0, left) + "\n" });
    left -= text.length + 1;
  };
  python.setStdout({ batched: say });
  python.setStderr({ batched: say });
  return (alone) => module.get("Session")(alone);
}

const start = boot();
start.then(() => postMessage({ ready: true }), (error) => postMessage({ fatal: String(error) }));

onmessage = async ({ data }) => {
  const fresh = await start;
  if (data.fresh || !session) session = fresh(data.alone);
  ({ id } = data);
  left = LIMIT;
  said = "";
  try {
    const good = session.run(data.code, data.name, data.goOn);
    postMessage({
      id, done: true, good, cut: left <= 0, same: same(data.want, said.slice(0, LIMIT)), drawing: session.drawing,
    });
  } catch (error) { // Python itself broke down: out of memory, most likely
    postMessage({ fatal: String(error) });
  }
};
