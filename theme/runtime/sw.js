// The site without a network, for a reader who asked for it on the About page. Above this line the
// build writes RELEASE, and FILES: { path: [bytes, sha256] } (theme/site/service_worker.py).
//
// A release is kept as a whole under its own name, or not at all; pages are answered from one
// release only, the network is not asked for what that one has. A new one waits until no page of
// the old is open any more.
"use strict";

const NAME = `qkv-${RELEASE}`;
const at = (path) => new URL(path, registration.scope).href;
const addresses = new Set(Object.keys(FILES).map(at));
const plain = (url) => url.split(/[?#]/)[0];

async function tell(message) {
  const pages = await clients.matchAll({ includeUncontrolled: true });
  for (const page of pages) page.postMessage(message);
}

/** Why nothing was kept; scripts/offline.mjs has the sentences. */
const failure = (reason, path) => Object.assign(new Error(path), { reason });
const reasonOf = ({ reason, name }) => reason ?? (name === "QuotaExceededError" ? "room" : "bug");

async function digest(bytes) {
  return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** A file of this release: out of the last one where it is the same, or else from the network. */
async function keep(cache, path, sha256) {
  let response = await caches.match(at(path));
  let bytes = await response?.clone().arrayBuffer();
  if (!bytes || (await digest(bytes)) !== sha256) {
    try {
      response = await fetch(at(path), { cache: "no-cache" });
      bytes = await response.arrayBuffer();
    } catch {
      throw failure("lost", path);
    }
    // A page in place of another kind of file is a portal's that wants a login first.
    const page = response.headers.get("Content-Type")?.startsWith("text/html");
    if (page && !/(^|\/|\.html)$/.test(path)) throw failure("lost", path);
    if (!response.ok || (await digest(bytes)) !== sha256) throw failure("changed", path);
  }
  const type = response.headers.get("Content-Type") ?? "application/octet-stream";
  await cache.put(at(path), new Response(bytes, { headers: { "Content-Type": type } }));
}

async function install() {
  const cache = await caches.open(NAME);
  const files = Object.entries(FILES);
  const total = files.reduce((sum, [, [bytes]]) => sum + bytes, 0);
  let done = 0;
  try {
    // Six at a time: what a browser asks of one host at once.
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        for (let file; (file = files.pop());) {
          const [path, [bytes, sha256]] = file;
          await keep(cache, path, sha256);
          await tell({ done: (done += bytes), total });
        }
      }),
    );
  } catch (error) {
    files.length = 0;
    await caches.delete(NAME);
    await tell({ failed: reasonOf(error) });
    throw error;
  }
}

async function activate() {
  for (const name of await caches.keys()) {
    // qkv-model is filled, and kept up to date, by scripts/model.mjs.
    if (name.startsWith("qkv-") && ![NAME, "qkv-model"].includes(name)) await caches.delete(name);
  }
  await clients.claim();
}

// What is shown for the moment in which one release takes over from the other.
const CHANGING = `<!doctype html><script>
  const again = () => location.reload();
  navigator.serviceWorker.addEventListener("controllerchange", again);
  navigator.serviceWorker.getRegistration()
    .then((found) => found?.waiting ? setTimeout(again, 5000) : again());
</script>`;

/** A page's address as the release has it: with its slash, and without index.html. */
function proper(url) {
  const address = plain(url).replace(/\/index\.html$/, "/");
  return [address, `${address}/`].find((one) => addresses.has(one)) ?? plain(url);
}

async function answer({ request, clientId }) {
  const page = request.mode === "navigate";
  if (page && proper(request.url) !== plain(request.url)) {
    return Response.redirect(proper(request.url) + request.url.slice(plain(request.url).length));
  }
  if (page && registration.waiting && (await clients.matchAll({ type: "window" })).length < 2) {
    registration.waiting.postMessage("take over"); // the last page of the old release is being left
    return new Response(CHANGING, { headers: { "Content-Type": "text/html" } });
  }
  // A page that is not of this release gets nothing of it. (Python's worker, a blob, asks only for
  // a folder that is named by its release.)
  const asking = page ? request.url : ((await clients.get(clientId))?.url ?? "blob:");
  const ours = asking.startsWith("blob:") || addresses.has(plain(asking));
  const kept =
    ours &&
    addresses.has(plain(request.url)) &&
    (await caches.match(plain(request.url), { cacheName: NAME }));
  if (kept || !page) return kept || fetch(request);
  return fetch(request).catch(() =>
    Response.redirect(at(request.url.startsWith(at("en/")) ? "en/404.html" : "404.html")),
  );
}

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("message", (event) =>
  event.data === "take over" ? skipWaiting() : event.waitUntil(install()),
);
addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.url.startsWith(registration.scope))
    event.respondWith(answer(event));
});
