// The button on the About page: keep the whole site on this device, or throw it away again.
// The keeping itself is done by the service worker, theme/runtime/sw.js.

const zh = !document.documentElement.lang.startsWith("en");
const say = (chinese, english) => (zh ? chinese : english);
const root = new URL(zh ? "../../" : "../../../", import.meta.url);
const WHY = {
  QuotaExceededError: say(
    "这台设备给本站的空间不够，什么也没有保存",
    "This device has too little room for the site: nothing was kept",
  ),
  TypeError: say(
    "连接断了，什么也没有保存。连上网络后再按一次",
    "The connection was lost: nothing was kept. Press again once it is back",
  ),
  Changed: say(
    "网站正在更新，什么也没有保存。过几分钟再按一次",
    "The site is being updated: nothing was kept. Press again in a few minutes",
  ),
};

const tell = (knob, text) => {
  knob.parentElement.querySelector("[role=status]").textContent = text;
};

/** The button says what pressing it will do. */
export async function show(knob) {
  const kept = (await navigator.serviceWorker?.getRegistration(root))?.active;
  knob.textContent = kept
    ? say("删除离线副本", "Remove the offline copy")
    : say("让本站可以离线使用", "Make this site available offline");
  return kept;
}

async function install(knob) {
  const options = { scope: root.pathname, updateViaCache: "none" };
  const registration = await navigator.serviceWorker.register(new URL("sw.js", root), options);
  await new Promise((resolve, reject) => {
    navigator.serviceWorker.onmessage = ({ data: { done, total, failed } }) => {
      if (failed) reject(Object.assign(new Error(), { name: failed }));
      else
        tell(
          knob,
          say(
            `已保存 ${Math.round(done / 1e6)} / ${Math.round(total / 1e6)} MB`,
            `Kept ${Math.round(done / 1e6)} of ${Math.round(total / 1e6)} MB`,
          ),
        );
      if (done === total) resolve();
    };
    registration.installing?.addEventListener("statechange", ({ target }) => {
      if (target.state === "redundant") setTimeout(reject, 1000, new TypeError()); // its own word comes first
    });
    // One that was removed on this very page is still there, without its files.
    registration.active?.postMessage("install");
  }).finally(() => {
    navigator.serviceWorker.onmessage = null;
  });
  await navigator.serviceWorker.ready;
}

export async function press(knob) {
  knob.disabled = true;
  try {
    if (!navigator.serviceWorker) throw new Error();
    if (await show(knob)) {
      await (await navigator.serviceWorker.getRegistration(root)).unregister();
      for (const name of await caches.keys())
        if (name.startsWith("qkv-")) await caches.delete(name);
      tell(
        knob,
        say("已删除。本站又只从网络读取", "Removed: the site comes from the network again"),
      );
    } else {
      tell(knob, say("开始下载…", "Starting the download…"));
      await install(knob);
      tell(
        knob,
        say(
          "好了：没有网络也能读，也能运行代码",
          "Done: it can be read, and its code run, without a network",
        ),
      );
    }
  } catch (error) {
    tell(
      knob,
      WHY[error.name] ??
        say(
          "这个浏览器现在不允许离线保存（私密窗口，或不是 https 地址）",
          "This browser does not keep sites now (a private window, or not an https address)",
        ),
    );
  }
  knob.disabled = false;
  await show(knob);
}
