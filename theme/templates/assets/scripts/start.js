// What must work before the theme's script is there, and the loading of that script.
"use strict";
{
  const own = document.currentScript;
  const runner = () => import(new URL("run.mjs", own.src));
  const signs = ["pointerdown", "pointermove", "keydown", "focusin", "scroll", "touchstart"];

  // Search, copy buttons and instant navigation come with the reader's first sign of life:
  // a page that is only read never waits for them.
  const wake = (event) => {
    for (const sign of signs) removeEventListener(sign, wake, true);
    const search = document.querySelector(".md-search__input");
    // The theme's own keys for search, should one of them be the first thing pressed.
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.type === "keydown" && ["/", "f", "s"].includes(event.key) && !typing
        && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      document.querySelector("#__search").checked = true;
      search.focus();
    }
    const script = document.createElement("script");
    script.src = own.dataset.bundle;
    // What was typed while it loaded is searched for.
    script.onload = () => {
      if (search?.value) search.dispatchEvent(new KeyboardEvent("keyup"));
      document$.subscribe(restore); // after every instant navigation
    };
    document.head.append(script);
  };
  for (const sign of signs) addEventListener(sign, wake, { capture: true, passive: false });

  // The language link: this page at this anchor. Instant navigation leaves the header as it was,
  // so the address is worked out when the reader reaches for the link.
  const link = document.querySelector("a.language");
  const here = new URL(link.dataset.here, location), there = new URL(link.dataset.there, location);
  const missing = link.dataset.missing !== undefined;
  for (const reach of ["pointerdown", "focus", "click"]) {
    link.addEventListener(reach, () => {
      const page = missing ? "" : location.pathname.slice(here.pathname.length);
      link.href = there.pathname + page + location.hash;
    }, true);
  }

  // Run, Edit, Reset, Copy: their script comes when one is pressed, or when the reader has edits.
  addEventListener("click", async (event) => {
    const knob = event.target.closest?.("[data-do]");
    if (knob) (await runner()).press(knob);
  });
  const restore = async () => {
    try {
      if (Object.keys(localStorage).some((key) => key.startsWith("qkv:"))) (await runner()).restore();
    } catch { /* storage refused: there are no edits */ }
  };
  restore();
}
