// What must work before the theme's script is there, and the loading of that script.
"use strict";
{
  const own = /** @type {HTMLScriptElement} */ (document.currentScript);
  const language = own.dataset.language === "zh" ? "zh" : "en";
  for (const name of ["python", "model", "decoder"]) {
    const given = own.dataset[name];
    if (given) own.dataset[name] = String(new URL(given, location.href)); // navigation moves it
  }
  const signs = ["pointerdown", "pointermove", "keydown", "focusin", "scroll", "touchstart"];

  // Copy buttons and instant navigation come with the reader's first sign of life:
  // a page that is only read never waits for them.
  let awake = false;
  const wake = () => {
    for (const sign of signs) removeEventListener(sign, wake, true);
    awake = true;
    watch();
    if (location.protocol !== "file:") load("awake.mjs").catch(ignore);
    const script = document.createElement("script");
    script.src = own.dataset.bundle;
    script.onload = () => {
      document$.next(document); // the theme waits for an event that is long past
      document$.subscribe(arrive); // after every instant navigation
    };
    script.onerror = listen; // no connection: the next sign tries again
    document.head.append(script);
  };
  const listen = () => {
    for (const sign of signs) addEventListener(sign, wake, { capture: true, passive: false });
  };
  listen();

  // The skip link takes the focus along, and keeps it where the theme brings the page once more.
  let skipped = "";
  const skip = () => {
    const heading = document.getElementById(decodeURIComponent(new URL(skipped).hash.slice(1)));
    heading.tabIndex = -1;
    heading.focus();
  };
  addEventListener("click", ({ target }) => {
    const link = /** @type {Element} */ (target).closest?.(".md-skip");
    if (!link) return;
    skipped = /** @type {HTMLAnchorElement} */ (link).href;
    skip();
  });

  // What an address names may stand in a fold or another closed box, or be the heading of one: it
  // is opened before the reader lands there.
  const reveal = (/** @type {Element | null} */ target) => {
    let moved = false;
    for (let box = target?.closest("details"); box; box = box.parentElement.closest("details")) {
      moved ||= !box.open;
      box.open = true;
    }
    return moved;
  };
  const named = (hash) => {
    try {
      return document.getElementById(decodeURIComponent(hash.slice(1)));
    } catch {
      return null; // a stray %
    }
  };
  addEventListener(
    "click",
    ({ target }) => {
      const link = /** @type {HTMLAnchorElement | null} */ (
        /** @type {Element} */ (target).closest?.("a[href*='#']")
      );
      if (!link || link.href.split("#")[0] !== location.href.split("#")[0]) return;
      reveal(named(link.hash));
      link.target ||= "_self"; // the browser's to follow, see below
      followed = link.href;
    },
    true,
  );
  let article = null; // where the reader has landed
  let followed = ""; // a link within the page; a step through the history has its own place
  let back = null; // through the history, and where the reader was on that page: { y }
  const land = (event) => {
    const come = article !== document.querySelector("article");
    if (!event && !come) return; // a fold may have been closed since
    const loaded = !article;
    article = document.querySelector("article");
    const target = named(location.hash);
    const opened = reveal(target);
    // To a page that comes without being loaded the theme goes before its boxes are open. And where
    // the reader still scrolled while it was on its way, the theme takes where they were on the
    // page before for a place on this one.
    if (come && !loaded && (back || !location.hash)) scrollTo(0, back?.y ?? 0);
    else if (opened || (come && (!loaded || target?.closest("details")))) target?.scrollIntoView();
    // Chromium forgets to go there where something else moves in the same moment.
    else if (event && followed === location.href) target?.scrollIntoView();
    if (come) back = null;
    followed = "";
  };
  addEventListener("hashchange", land);

  // A step within the page, forward or back. The first of them would make the theme fetch the page
  // and put it in place of this one, and what was opened, run and answered would be gone.
  let shown = location.pathname;
  let leaving = false;
  addEventListener("click", ({ target }) => {
    leaving ||= location.pathname !== shown; // the theme has heard of it before
    if (/** @type {Element} */ (target).closest?.("a[href]")) back = null; // it need not come now
  });
  addEventListener(
    "popstate",
    (event) => {
      leaving ||= location.pathname !== shown;
      if (leaving) {
        back = event.state;
        return;
      }
      event.stopImmediatePropagation();
      // The theme writes places into the history. What it writes meanwhile is the place before.
      if (history.scrollRestoration !== "manual") return;
      if (event.state) scrollTo(0, event.state.y);
      else followed = location.href;
    },
    true,
  );

  // The colours are the system's, also where those change while the page is open, until the reader
  // chooses the others.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const schemeOf = (one) => one.dataset.mdColorScheme;
  const ofSystem = () => (dark.matches ? "slate" : "default");
  addEventListener("change", ({ target }) => {
    const knob = /** @type {HTMLInputElement} */ (target);
    if (knob.name === "__palette") __md_set("colours-chosen", schemeOf(knob) !== ofSystem());
  });
  dark.addEventListener("change", () => {
    if (__md_get("colours-chosen")) return;
    document.body.dataset.mdColorScheme = ofSystem(); // the theme may not be there yet
    [...document.querySelectorAll("[name=__palette]")]
      .find((one) => schemeOf(one) === ofSystem())
      .click();
  });

  // Not every browser opens on paper what the style sheet asks it to.
  let forPaper = [];
  addEventListener("beforeprint", () => {
    forPaper = [...document.querySelectorAll("article details:not([open])")];
    for (const box of forPaper) box.open = true;
  });
  addEventListener("afterprint", () => {
    for (const box of forPaper.splice(0)) box.open = false;
  });

  // What scrolls sideways must be reachable from the keyboard; what does not is no tab stop.
  const sideways = new ResizeObserver((resized) => {
    for (const { target } of resized) {
      if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
      else target.removeAttribute("tabindex");
    }
  });
  const tabStops = () => {
    sideways.disconnect();
    const wide =
      ".md-typeset :is(pre > code, .md-typeset__scrollwrap, div.arithmatex, .drawing__box)";
    for (const box of document.querySelectorAll(wide)) sideways.observe(box);
  };

  // Search is a dialog that needs nothing of the theme. Its script comes when it is first opened,
  // as a plain one, for it must come from a folder, too; what was typed meanwhile is searched for.
  const search = document.querySelector("#search");
  search.dataset.home = String(new URL(search.dataset.home, location.href));
  let fetched = false;
  const openSearch = () => {
    if (!search.open) search.showModal();
    search.querySelector("input").select();
    if (fetched) return;
    fetched = true;
    const script = document.createElement("script");
    script.src = String(new URL("search/search.js", search.dataset.home));
    script.onerror = () => {
      fetched = false;
      search.querySelector("[role=status]").textContent = search.dataset.lost;
    };
    document.head.append(script);
  };
  addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.closest?.("[data-search=open]")) openSearch();
    // The dialog itself is under the pointer only where it ends: on what it covers.
    if (target === search || target.closest?.("[data-search=close]")) search.close();
  });
  const KEYS = ["/", "f", "s"];
  addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    const switches = "[type=radio], [type=checkbox], [type=range]"; // nobody types into these
    const typing = target.closest?.(
      `input:not(${switches}), textarea, select, [contenteditable], dialog`,
    );
    const command = event.ctrlKey || event.metaKey || event.altKey;
    const closed = target.closest?.("dialog:not([open])"); // it keeps the focus until the next frame
    if (!KEYS.includes(event.key) || (typing && !closed) || command) return;
    event.preventDefault();
    openSearch();
  });
  // The theme turns the page at n and p.
  search.addEventListener("keydown", (event) => search.open && event.stopPropagation());

  // The language link: this page at this anchor. Instant navigation leaves the header as it was,
  // so the address is worked out when the reader reaches for the link.
  const link = document.querySelector("a.language");
  const here = new URL(link.dataset.here, location.href);
  const there = new URL(link.dataset.there, location.href);
  const missing = link.dataset.missing !== undefined;
  for (const reach of ["pointerdown", "focus", "click"]) {
    link.addEventListener(
      reach,
      () => {
        const page = missing ? "" : location.pathname.slice(here.pathname.length);
        link.href = there.pathname + page + location.hash;
      },
      true,
    );
  }

  // The scripts of buttons and figures come when one is wanted. Firefox never asks again for a
  // module that did not come: a new address each time.
  const loaded = {};
  let tries = 0;
  const load = (name) =>
    (loaded[name] ??= import(String(new URL(`${name}?${tries}`, own.src))).catch((error) => {
      delete loaded[name];
      tries += 1;
      throw error;
    }));
  // How Chromium, Firefox and Safari say that a module did not come. All else is our fault.
  const lost = (error) =>
    /dynamically imported module|importing a module/i.test(error?.message ?? "");
  const ignore = (error) => {
    if (!lost(error)) throw error;
  };
  globalThis.qkv = { language, load, lost, reveal };

  // Figures that can be played with: `<qkv-name>` around a still picture. Their scripts come when
  // they come near the screen, or when the address holds the state of one. Their place is kept
  // from the first paint (theme/finish/heights.py), and given up where nothing comes.
  const near = new IntersectionObserver(
    (seen) => {
      for (const { target, isIntersecting } of seen) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        load(`figures/${target.localName.slice(4)}.mjs`).catch((error) => {
          target.setAttribute("data-lost", ""); // the still picture stays, and no empty place below it
          ignore(error);
        });
      }
    },
    { rootMargin: "1200px" },
  );
  const watch = () => {
    for (const figure of document.querySelectorAll(".drawing__box > :not(:defined)")) {
      if (location.protocol === "file:") figure.dataset.lost = ""; // no browser loads a module there
      else near.observe(figure);
    }
  };

  // What the buttons of the page do comes when one is pressed, or when the reader meets an edit.
  const WORDS = {
    lost: {
      zh: "按钮的脚本没有取到。检查网络后再按一次",
      en: "The script of this button did not arrive. Check the connection and press again",
    },
    broken: {
      zh: "按钮的脚本出了错，这是本站的错误。刷新页面后再试",
      en: "The script of this button failed, which is a fault of this site. Reload and try again",
    },
  };
  let touched = false; // whether there is an edit or a run to look after
  let asking = false; // whether numbers may be asked where they come from
  addEventListener("click", async (event) => {
    const target = /** @type {Element} */ (event.target);
    const knob = /** @type {HTMLButtonElement | null} */ (target.closest?.("[data-do]"));
    if (!knob) return;
    if (knob.dataset.do === "folds") {
      const open = !knob.dataset.open;
      for (const fold of document.querySelectorAll("details.fold")) fold.open = open;
      knob.dataset.open = open ? "open" : "";
      [knob.textContent, knob.dataset.then] = [knob.dataset.then, knob.textContent];
      return;
    }
    event.preventDefault(); // of a form, which goes nowhere
    const own = { offline: "offline.mjs", numbers: "numbers.mjs", guess: "predictions.mjs" }[
      knob.dataset.do
    ];
    touched ||= !own;
    asking ||= knob.dataset.do === "numbers";
    try {
      await (await load(own ?? "run.mjs")).press(knob);
    } catch (error) {
      const asked = knob.closest(".predict");
      asked?.setAttribute("data-said", "lost"); // nobody can guess: the output is there
      const status = (asked ?? knob.parentElement).querySelector("[role=status]");
      status.textContent = WORDS[lost(error) ? "lost" : "broken"][language];
      if (!lost(error)) throw error;
    }
  });
  // One key for each choice of a question, and one that shows the output without a guess.
  addEventListener("keydown", ({ key, target, ctrlKey, metaKey, altKey }) => {
    const asked = /** @type {HTMLElement} */ (
      /** @type {Element} */ (target).closest?.(".predict")
    );
    if (!asked || ctrlKey || metaKey || altKey) return;
    const typing = /** @type {Element} */ (target).matches("input");
    const value = key === "Escape" && !asked.dataset.said ? "skip" : /^[1-4]$/.test(key) && key;
    if (value && (value === "skip" || !typing)) {
      asked.querySelector(`[value="${value}"]`)?.click();
    }
  });
  const edits = () => {
    try {
      return Object.keys(localStorage).some((key) => key.startsWith("qkv:"));
    } catch {
      return false; // storage refused
    }
  };
  const arrive = async () => {
    shown = location.pathname;
    leaving = false;
    land();
    tabStops();
    if (skipped === location.href && document.activeElement === document.body) skip();
    try {
      asking ||= localStorage.getItem("numbers-asked") === "on";
    } catch {
      /* storage refused: asked for anew on every visit */
    }
    touched ||= edits() || location.hash.startsWith("#snippet=");
    const offline = document.querySelector("[data-do=offline]");
    const asked = location.hash.startsWith("#figure=");
    const figure = asked && new URLSearchParams(location.hash.slice(1)).get("figure");
    const sent = figure && document.getElementById(`figure-${figure}`);
    if (sent) {
      reveal(sent);
      sent.scrollIntoView();
    }
    if (awake || figure) watch();
    if (Object.keys(guesses).length && document.querySelector("[data-guess]")) {
      load("predictions.mjs").then((predictions) => predictions.arrive(), ignore);
    }
    // Each for itself: where the numbers' table does not come, edits do.
    if (asking) {
      load("numbers.mjs")
        .then((numbers) => numbers.arrive())
        .catch((error) => {
          if (!lost(error)) throw error;
        });
    }
    try {
      if (touched) (await load("run.mjs")).arrive();
      if (navigator.serviceWorker?.controller) {
        const { show, watch: watchReleases } = await load("offline.mjs");
        if (offline) await show(offline);
        await watchReleases();
      }
    } catch (error) {
      ignore(error); // the page stays as it was built
    }
  };
  addEventListener("hashchange", arrive);
  arrive();
}
