// What a reader who is awake finds beside the theme's script: copying that takes formulas along,
// keys that do what they say, none that throws a run away, and no landmark without a name.

/** TeX once for each formula of what is selected; KaTeX writes it twice, for eye and for ear. */
function selectedText(selection) {
  const range = selection.getRangeAt(0).cloneRange();
  // A formula that is selected in part is taken as a whole.
  const around = (node) => (node.closest ? node : node.parentElement)?.closest(".katex");
  const [first, last] = [around(range.startContainer), around(range.endContainer)];
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  const fragment = range.cloneContents();
  const formulas = fragment.querySelectorAll(".katex");
  for (const formula of formulas) {
    const tex = formula.querySelector("annotation")?.textContent ?? "";
    const sign = formula.closest(".katex-display") || formula.querySelector("[display=block]");
    formula.replaceChildren(sign ? `$$${tex}$$` : `$${tex}$`);
  }
  return formulas.length ? fragment : null;
}

document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (selection.isCollapsed || !event.clipboardData) return;
  const fragment = selectedText(selection);
  if (!fragment) return;
  // As the browser breaks lines: it has to be on the page for that.
  const box = document.createElement("div");
  box.style.cssText = "position:fixed;white-space:pre-wrap;inset:0 auto auto -99rem";
  box.append(fragment);
  document.body.append(box);
  event.clipboardData.setData("text/plain", box.innerText);
  event.clipboardData.setData("text/html", box.innerHTML);
  box.remove();
  event.preventDefault();
});

const TURNS_THE_PAGE = ["n", "p", ".", ","]; // the theme's keys for the pages beside this one

addEventListener(
  "keydown",
  (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    // The switch of the colours is a radio that is named as a button: Space presses it, too.
    if (event.key === " " && target.matches("[name=__palette]")) {
      event.preventDefault();
      target.closest("form").querySelector("label:not([hidden])")?.click();
    }
    // One key must not throw away what was run on this page.
    if (TURNS_THE_PAGE.includes(event.key) && document.querySelector(".snippet__out")) {
      event.stopPropagation();
    }
  },
  true,
);

// The theme's Copy stands in a <nav> of its own, without a name: nobody navigates to that.
new MutationObserver(() => {
  for (const one of document.querySelectorAll(".md-code__nav:not([role])")) one.role = "none";
}).observe(document.documentElement, { childList: true, subtree: true });
