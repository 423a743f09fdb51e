// The search dialog: what is found appears while the reader types, and leads to its section.
// start.js opens the dialog and loads search/search.js: MiniSearch, words.js, index.js, the index of
// the language and this file, one after the other (theme/search.py).
"use strict";
{
  const dialog = document.querySelector("#search");
  const input = dialog.querySelector("input");
  const clear = dialog.querySelector("[data-search=clear]");
  const status = dialog.querySelector("[role=status]");
  const list = dialog.querySelector("ol");
  const zh = !document.documentElement.lang.startsWith("en");
  const PAGES = 8; // shown
  const SECTIONS = 3; // of one page
  const WIDTH = zh ? 90 : 180; // of an excerpt, in characters

  Search.load(searchIndex);

  // ---- Excerpts: the texts of a page come when one of its sections is found ----
  const texts = new Map();
  const waiting = new Map(); // by page, what to do once they are there
  Search.tell = (name, all) => {
    texts.set(name, all);
    for (const fill of waiting.get(name) ?? []) fill();
    waiting.delete(name);
  };
  const withText = (name, fill) => {
    if (texts.has(name)) return fill();
    if (waiting.has(name)) return void waiting.get(name).push(fill);
    waiting.set(name, [fill]);
    const script = document.createElement("script");
    script.src = String(new URL(`search/text/${name}.js`, dialog.dataset.home));
    script.onerror = () => waiting.delete(name); // the next search asks again
    document.head.append(script);
  };

  /** A pattern for a term of the index, as it stands in text: wq is W_Q, queri is queries. */
  const spelling = (term) => {
    if (term === "sqrt") return /√|根号|sqrt/giu;
    if (/\p{Script=Han}/u.test(term)) return new RegExp(term, "gu");
    const letters = [...term.replace(/(?<=...)i$/, "")].join("[_^]?").replace(/z$/, "[sz]");
    const end = /...i$/.test(term) ? "(?:y|ies?|ied|ying)" : "(?:\\p{L}?(?:e?s|ed?|ings?))?";
    return new RegExp(`(?<![a-z0-9])${letters}${end}(?![a-z])`, "giu");
  };

  /** `text` in pieces [string, whether it matches], cut down to where most of the terms stand. */
  function pieces(text, terms, width = Infinity) {
    const marked = new Uint8Array(text.length);
    const places = [];
    terms.forEach((term, i) => {
      for (const { index, 0: match } of text.matchAll(spelling(term))) {
        marked.fill(1, index, index + match.length);
        places.push([index, i]);
      }
    });
    const within = (start) =>
      new Set(places.flatMap(([at, i]) => (at >= start && at < start + width * 0.7 ? [i] : [])))
        .size;
    const [best] = places
      .map(([at]) => [at, within(at)])
      .sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    let start = Math.max(0, (best?.[0] ?? 0) - Math.floor(width / 4));
    if (width === Infinity || text.length <= width) start = 0;
    while (start > 0 && /[\w\p{M}]/u.test(text[start]) && /\w/.test(text[start - 1])) start -= 1;
    const end = Math.min(text.length, start + width);
    const done = start > 0 ? [["…", 0]] : [];
    for (let from = start, to = start; from < end; from = to) {
      while (to < end && marked[to] === marked[from]) to += 1;
      done.push([text.slice(from, to), marked[from]]);
    }
    return end < text.length ? [...done, ["…", 0]] : done;
  }

  const written = (...args) =>
    pieces(...args).map(([text, marked]) => (marked ? element("mark", {}, text) : text));

  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // ---- What is found ----
  const address = ({ address }, { anchor }) =>
    new URL(address + (anchor && `#${anchor}`), dialog.dataset.home).href;

  function item(page) {
    const [first, ...others] = page.sections;
    const where = [page.title, ...first.headings].flatMap((part, i) => [
      ...(i ? [" ", element("i", { ariaHidden: "true" }, "›"), " "] : []),
      element("span", {}, ...written(part, first.terms)),
    ]);
    const text = element("span", { className: "search__text" });
    withText(page.name, () =>
      text.replaceChildren(...written(texts.get(page.name)[first.place], first.terms, WIDTH)),
    );
    const more = others
      .slice(0, SECTIONS - 1)
      .map((one) =>
        element(
          "a",
          { href: address(page, one), className: "search__more" },
          ...written(one.headings.join(" › "), one.terms),
        ),
      );
    const main = element(
      "a",
      { href: address(page, first) },
      element("span", { className: "search__where" }, ...where),
      text,
    );
    return element("li", {}, main, ...more);
  }

  const count = (n) =>
    zh ? `最相关的 ${n} 页` : n === 1 ? "The page that fits" : `The ${n} pages that fit best`;
  const nothing = (query, near) =>
    zh
      ? `没有找到“${query}”。${near ? "最接近的是：" : "换一个词试试，或者看看术语表。"}`
      : `Nothing found for “${query}”. ${near ? "The nearest:" : "Try another word, or look into the glossary."}`;

  let saying;
  const say = (text) => {
    clearTimeout(saying); // a screen reader hears the last one, not one a letter
    saying = setTimeout(() => (status.textContent = text), text ? 250 : 0);
  };

  function show(isComposing = false) {
    const query = input.value.trim();
    clear.hidden = !input.value;
    if (!query) {
      list.replaceChildren();
      return say("");
    }
    const found = Search.find(query);
    if (!found.length && isComposing) return; // letters on their way to a Chinese word
    const pages = (found.length ? found : Search.nearest(query)).slice(0, PAGES);
    list.replaceChildren(...pages.map(item));
    list.scrollTop = 0;
    say(found.length ? count(pages.length) : nothing(query, pages.length));
  }

  // ---- By hand and by keyboard ----
  const KEYS = { ArrowDown: 1, ArrowUp: -1 };
  input.addEventListener("input", ({ isComposing }) => show(isComposing));
  input.addEventListener("compositionend", () => show());
  clear.addEventListener("click", () => {
    input.value = "";
    show();
    input.focus();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const links = [...list.querySelectorAll("a")];
    if (event.key === "Enter" && event.target === input) {
      event.preventDefault();
      links[0]?.click();
    } else if (event.key in KEYS) {
      event.preventDefault();
      const stops = [input, ...links];
      const next = stops.indexOf(document.activeElement) + KEYS[event.key];
      stops[Math.min(Math.max(next, 0), links.length)].focus();
    }
  });
  list.addEventListener("click", ({ target, ctrlKey, metaKey, shiftKey }) => {
    if (target.closest("a") && !ctrlKey && !metaKey && !shiftKey) dialog.close();
  });
  show();
}
