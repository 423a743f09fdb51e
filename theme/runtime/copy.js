// Copy in a site opened from a folder, where a browser loads no modules: theme/site/files.py puts
// scripts/prompts.mjs above this.
"use strict";
{
  const WORDS = {
    copied: { zh: "已复制", en: "Copied" },
    refused: {
      zh: "浏览器不允许复制：请选中代码复制",
      en: "The browser refused: select the code and copy it",
    },
  };

  addEventListener(
    "click",
    async (event) => {
      const knob = event.target.closest?.("[data-do=copy]");
      if (!knob) return;
      event.stopImmediatePropagation();
      const { code } = parse(knob.closest(".snippet").querySelector("code").textContent);
      const status = knob.parentElement.querySelector("[role=status]");
      let outcome = "copied";
      try {
        await navigator.clipboard.writeText(`${code}\n`);
      } catch {
        outcome = "refused";
      }
      status.textContent = WORDS[outcome][globalThis.qkv.language];
    },
    true,
  );
}
