// The index over the sections of a language, and asking it. The build runs this file in V8 to make
// the index; the page gets that, and asks. MiniSearch ranks (BM25), completes words and forgives
// typing mistakes; what it ranks by is weighed here.
"use strict";

globalThis.Search = (() => {
  const { asked, cut, isHan, learn, learned, plain } = Words;

  // ---- The index on its way to the page: which words stand in which sections. Words in order, a
  // line each, "3ing": three letters as in the line before, then "ing". On the same line of the
  // other string the sections, "Ab": the first one (A: none is skipped), and after 27 others (b) one
  // more; ~ skips 64. Compressed it is a third of MiniSearch's own JSON. ----
  const SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&'()*+,-";

  function pack(found) {
    let before = "";
    const words = [...found.keys()].sort();
    const beginnings = words.map((word) => {
      let shared = 0;
      while (shared < 35 && shared < word.length && word[shared] === before[shared]) shared += 1;
      before = word;
      return shared.toString(36) + word.slice(shared);
    });
    const places = words.map((word) =>
      [...found.get(word)]
        .map((id, i, all) => {
          const skipped = id - (all[i - 1] ?? -1) - 1;
          return "~".repeat(skipped >> 6) + SIGNS[skipped & 63];
        })
        .join(""),
    );
    return [beginnings.join("\n"), places.join("\n")];
  }

  function unpack([beginnings, places]) {
    const lines = places.split("\n");
    let word = "";
    return new Map(
      beginnings.split("\n").map((line, i) => {
        word = word.slice(0, parseInt(line[0], 36)) + line.slice(1);
        let id = -1;
        return [
          word,
          [...lines[i].matchAll(/(~*)([^~])/g)].map(
            ([, far, sign]) => (id += 64 * far.length + SIGNS.indexOf(sign) + 1),
          ),
        ];
      }),
    );
  }

  // ---- The build's side ----
  /** From the pages of theme/search.py what `load` takes. */
  function build(pages, traditional) {
    learn(traditional);
    const found = new Map();
    pages
      .flatMap(({ sections }) => sections)
      .forEach(({ text }, id) => {
        for (const word of cut(text)) found.set(word, (found.get(word) ?? new Set()).add(id));
      });
    return {
      pages: pages.map(({ name, address, title, weight, sections }) => [
        name,
        address,
        title,
        weight,
        sections.map(({ anchor, called, above, heading }) => [anchor, called, ...above, heading]),
      ]),
      words: pack(found),
      traditional: learned(new Set(plain(JSON.stringify(pages)))),
    };
  }

  // ---- The page's side ----
  const FIELDS = ["called", "heading", "text"];
  const OPTIONS = {
    fields: FIELDS,
    tokenize: cut,
    processTerm: (term) => term,
    searchOptions: {
      boost: { called: 10, heading: 4 },
      fuzzy: (term) => /^[a-z]{4,}$/.test(term) && 0.2,
      // The word being typed, and the beginnings of others: mask finds masking.
      prefix: (term, i, terms) =>
        i === terms.length - 1 || /^[a-z]{3,}$/.test(term) || (term.length === 1 && isHan(term)),
    },
  };
  const EXACT = 8; // how much more a section counts that is called just what was typed
  const bare = (text) => plain(text).replace(/[^\p{L}\p{N}]+/gu, "");
  let engine, sections;

  function load({ pages, words, traditional }) {
    learn(traditional);
    sections = pages.flatMap(([name, address, title, weight, all]) =>
      all.map(([anchor, called, ...headings], place) => ({
        name,
        address,
        title,
        weight,
        place,
        anchor,
        called,
        headings,
        names: new Set([...called.split(" / "), headings.at(-1)].map(bare)),
      })),
    );
    const index = new Map(); // word: {field: {section: times}}, as MiniSearch keeps it
    const length = sections.map(() => FIELDS.map(() => 0));
    const enter = (word, field, id) => {
      if (!index.has(word)) index.set(word, {});
      const places = (index.get(word)[field] ??= {});
      if (!(id in places)) length[id][field] += 1;
      places[id] = 1;
    };
    sections.forEach(({ called, headings }, id) => {
      for (const word of cut(called)) enter(word, 0, id);
      for (const word of cut(headings.at(-1))) enter(word, 1, id);
    });
    for (const [word, ids] of unpack(words)) for (const id of ids) enter(word, 2, id);
    const each = (value) => Object.fromEntries(sections.map((_, id) => [id, value(id)]));
    engine = MiniSearch.loadJS(
      {
        documentCount: sections.length,
        nextId: sections.length,
        documentIds: each((id) => id),
        fieldIds: Object.fromEntries(FIELDS.map((field, id) => [field, id])),
        fieldLength: each((id) => length[id]),
        averageFieldLength: FIELDS.map(
          (_, field) => length.reduce((sum, one) => sum + one[field], 0) / sections.length,
        ),
        storedFields: {},
        dirtCount: 0,
        index: [...index],
        serializationVersion: 2,
      },
      OPTIONS,
    );
  }

  /** Pages, best first: [{name, address, title, score, sections: [{anchor, headings, place, terms}]}]. */
  function find(query, options = {}) {
    const words = asked(query.slice(0, 300));
    const name = bare(query);
    const found = new Map();
    for (const { id, score, terms } of engine.search(words.join(" "), {
      tokenize: () => words,
      boostDocument: (one) => sections[one].weight * (sections[one].names.has(name) ? EXACT : 1),
      ...options,
    })) {
      const { names: _, ...section } = sections[id];
      const { name: page, address, title } = section;
      if (!found.has(page)) found.set(page, { name: page, address, title, score: 0, sections: [] });
      const one = found.get(page);
      // A page is as good as its best section, and a little better for every other.
      one.score += score / 2 ** one.sections.length;
      one.sections.push({ ...section, score, terms });
    }
    return [...found.values()].sort((a, b) => b.score - a.score);
  }

  /** What comes nearest where nothing is found: more letters may be wrong, any sign may match. */
  const nearest = (query) =>
    find(query, {
      fuzzy: (term) => !isHan(term) && 0.4,
      prefix: true,
      tokenize: () => {
        const words = asked(query);
        return words.flatMap((word) => (isHan(word) ? [...word] : [word]));
      },
    });

  return { build, find, load, nearest };
})();
