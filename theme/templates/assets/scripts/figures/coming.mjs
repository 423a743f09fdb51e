// What is said while a model's files come, the same in every figure that has one.
import { words } from "../language.mjs";

export const size = (bytes) =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${Math.round(bytes / 1e6)} MB`;

export const COMING = words({
  fetching: {
    zh: (percent, total) => `正在取：${percent}%（共 ${size(total)}）`,
    en: (percent, total) => `Fetching: ${percent}% of ${size(total)}`,
  },
  starting: {
    zh: "都取到了，正在启动 Python：慢的设备上要半分钟…",
    en: "All of it is here. Python is starting: half a minute on a slow device…",
  },
  unpacking: { zh: "取到了，正在展开…", en: "It is here; unpacking…" },
  lost: {
    zh: "脚本没有取到。检查网络后再按一次。",
    en: "The script did not arrive. Check the connection and press again.",
  },
});

/** For a model's `load`: how far it is, as a bar and as a sentence. */
export function coming(bar, report) {
  let said = -1;
  return ({ received, total, what }) => {
    if (what === "unpacking" || (total && received >= total)) {
      bar.removeAttribute("value");
      report(what === "unpacking" ? COMING.unpacking : COMING.starting);
      return;
    }
    if (!total) return;
    bar.value = received / total;
    const percent = Math.floor((10 * received) / total) * 10; // tens: it is read out
    if (percent !== said) report(COMING.fetching((said = percent), total));
  };
}
