// What must work before the theme's script is there, and the loading of that script.
"use strict";
{
  const bundle = document.currentScript.dataset.bundle;
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
    script.src = bundle;
    // What was typed while it loaded is searched for.
    script.onload = () => search?.value && search.dispatchEvent(new KeyboardEvent("keyup"));
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
}
