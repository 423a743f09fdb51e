// Copy in a site opened from a folder, where a browser loads no modules: the code, no prompts.
"use strict";
addEventListener(
  "click",
  async (event) => {
    const knob = event.target.closest?.("[data-do=copy]");
    if (!knob) return;
    event.stopImmediatePropagation();
    const lines = knob.closest(".snippet").querySelector("code").textContent.split("\n");
    const code = lines
      .filter((line) => /^(>>>|\.\.\.)( |$)/.test(line))
      .map((line) => `${line.slice(4)}\n`);
    const zh = !document.documentElement.lang.startsWith("en"),
      status = knob.parentElement.querySelector("[role=status]");
    try {
      await navigator.clipboard.writeText(code.join(""));
      status.textContent = zh ? "已复制" : "Copied";
    } catch {
      status.textContent = zh
        ? "浏览器不允许复制：请选中代码复制"
        : "The browser refused: select the code and copy it";
    }
  },
  true,
);
