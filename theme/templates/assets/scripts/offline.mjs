// The button on the About page: keep the whole site on this device, or throw it away again.
// The keeping itself is done by the service worker, theme/runtime/sw.js.
import { language, words } from "./language.mjs";

const root = new URL(language === "zh" ? "../../" : "../../../", import.meta.url);

const WORDS = words({
  keep: { zh: "让本站可以离线使用", en: "Make this site available offline" },
  remove: { zh: "删除离线副本", en: "Remove the offline copy" },
  begins: { zh: "开始下载…", en: "Starting the download…" },
  progress: {
    zh: (done, total) => `已保存 ${done} / ${total} MB`,
    en: (done, total) => `Kept ${done} of ${total} MB`,
  },
  done: {
    zh: "好了：没有网络也能读，也能运行代码",
    en: "Done: it can be read, and its code run, without a network",
  },
  waiting: {
    zh: "本站有新版本了。关掉它的其他标签页，再刷新这一页，就会换上",
    en: "A new version of this site is here. Close its other tabs and reload this one to change",
  },
  seen: { zh: "知道了", en: "All right" },
  removed: {
    zh: "已删除。本站又只从网络读取",
    en: "Removed: the site comes from the network again",
  },
});

// Why nothing was kept; the first three are what the service worker says has failed.
const REASONS = words({
  lost: {
    zh: "连接断了，什么也没有保存。连上网络后再按一次",
    en: "The connection was lost: nothing was kept. Press again once it is back",
  },
  changed: {
    zh: "网站正在更新，什么也没有保存。过几分钟再按一次",
    en: "The site is being updated: nothing was kept. Press again in a few minutes",
  },
  room: {
    zh: "这台设备给本站的空间不够，什么也没有保存",
    en: "This device has too little room for the site: nothing was kept",
  },
  refused: {
    zh: "这个浏览器现在不允许离线保存（私密窗口，或不是 https 地址）",
    en: "This browser does not keep sites now (a private window, or not an https address)",
  },
  bug: {
    zh: "离线保存的脚本出了错，这是本站的错误，什么也没有保存",
    en: "The script that keeps the site failed, which is a fault of this site: nothing was kept",
  },
});

/** @type {ServiceWorker | undefined} */
let seen; // the release whose notice was closed: the very click may be what wakes the page

/** Say it once a release has come that another open page of this one holds back. */
export async function watch() {
  const found = await navigator.serviceWorker.getRegistration(root);
  const tellOfIt = () => {
    if ([null, undefined, seen].includes(found.waiting)) return;
    if (document.querySelector(".release")) return;
    const [notice, text, close] = ["p", "span", "button"].map((tag) => document.createElement(tag));
    notice.className = "release";
    text.setAttribute("role", "status");
    close.textContent = WORDS.seen;
    close.addEventListener("click", () => {
      seen = found.waiting;
      notice.remove();
    });
    notice.append(text, " ", close);
    document.body.append(notice);
    text.textContent = WORDS.waiting; // after it stands there: it is read out
  };
  tellOfIt();
  found?.addEventListener("updatefound", () => {
    found.installing?.addEventListener("statechange", tellOfIt);
  });
}

class Refusal extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

function tell(knob, text) {
  const status = knob.parentElement.querySelector("[role=status]");
  if (status.textContent !== text) status.textContent = text;
}

/** The registration, if the site is kept; the button says what pressing it will do. */
export async function show(knob) {
  const found = await navigator.serviceWorker?.getRegistration(root);
  knob.textContent = found?.active ? WORDS.remove : WORDS.keep;
  return found?.active && found;
}

async function register() {
  const options = /** @type {const} */ ({ scope: root.pathname, updateViaCache: "none" });
  const address = new URL("sw.js", root);
  try {
    return await navigator.serviceWorker.register(address, options);
  } catch {
    // Either it does not come (or a portal's page does), or the browser says no.
    const answer = await fetch(address, { cache: "no-store" }).catch(() => null);
    const came = answer?.ok && !answer.headers.get("Content-Type")?.startsWith("text/html");
    throw new Refusal(came ? "refused" : "lost");
  }
}

async function install(knob) {
  const registration = await register();
  const megabytes = (bytes) => Math.round(bytes / 1e6);
  const { serviceWorker } = navigator;
  const listening = new AbortController();
  await new Promise((resolve, reject) => {
    const hear = ({ data: { done, total, failed } }) => {
      if (failed) reject(new Refusal(failed));
      else tell(knob, WORDS.progress(megabytes(done), megabytes(total)));
      if (done === total) resolve(undefined);
    };
    serviceWorker.addEventListener("message", hear, { signal: listening.signal });
    serviceWorker.startMessages();
    const { installing, active } = registration;
    const given = () => setTimeout(() => reject(new Refusal("lost")), 1000); // its own word first
    installing?.addEventListener("statechange", () => {
      if (installing.state === "redundant") given();
    });
    if (!installing && !active) given(); // it has failed before we could listen
    // One that was removed on this very page is still there, without its files.
    registration.active?.postMessage("install");
  }).finally(() => listening.abort());
  await serviceWorker.ready;
}

async function remove(registration) {
  await registration.unregister();
  for (const name of await caches.keys()) if (name.startsWith("qkv-")) await caches.delete(name);
}

export async function press(knob) {
  knob.disabled = true;
  try {
    if (!navigator.serviceWorker) throw new Refusal("refused");
    const kept = await show(knob);
    if (kept) {
      await remove(kept);
      tell(knob, WORDS.removed);
    } else {
      tell(knob, WORDS.begins);
      await install(knob);
      tell(knob, WORDS.done);
      await watch();
    }
    await show(knob);
  } catch (error) {
    // A DOMException is the browser's no: storage is blocked, the window is private, …
    const browser = error instanceof DOMException ? "refused" : "bug";
    const reason = error instanceof Refusal ? error.reason : browser;
    if (reason === "bug") reportError(error);
    tell(knob, REASONS[Object.hasOwn(REASONS, reason) ? reason : "bug"]);
  }
  knob.disabled = false;
}
