// The index over the sections of a language, and asking it. The build runs this file in V8 to make
// the index; the page gets that, and asks. MiniSearch ranks (BM25), completes words and forgives
// typing mistakes; what it ranks by is weighed here.
"use strict";

globalThis.Search = (() => {
  const { asked, cut, isHan, learn, learned, once, plain, told } = Words;

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
      .flatMap(({ sections, names }) => sections.map(({ text }) => (names ? "" : text)))
      .forEach((text, id) => {
        for (const word of told(text)) found.set(word, (found.get(word) ?? new Set()).add(id));
      });
    return {
      pages: pages.map(({ name, address, title, weight, sections }) => [
        name,
        address,
        title,
        weight,
        sections.map(({ anchor, called, said, above, heading }) => [
          anchor,
          called,
          once(said),
          ...above,
          heading,
        ]),
      ]),
      words: pack(found),
      traditional: learned(new Set(plain(JSON.stringify(pages)))),
    };
  }

  // ---- The page's side ----
  const FIELDS = ["called", "heading", "said", "text"];
  const OPTIONS = {
    fields: FIELDS,
    tokenize: cut,
    processTerm: (term) => term,
    searchOptions: {
      boost: { called: 8, heading: 2, said: 2 },
      fuzzy: (term) => /^[a-z]{4,}$/.test(term) && 0.2,
    },
  };
  /** Whether words that begin with it count: it is being typed, or may be the stem of others. */
  const isBeginning = (word, isLast) =>
    isLast || /^[a-z]{3,}$/.test(word) || (word.length === 1 && isHan(word));
  const EXACT = 14; // how much more a section counts that is called just what was typed
  const TOP = 0.15; // how much the top of a page counts among its sections when a sentence is asked
  const SPREAD = 0.5; // how much a page counts that has the words in different sections
  const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);
  const bare = (text) => plain(text).replace(/[^\p{L}\p{N}]+/gu, "");
  let engine, sections;

  function load({ pages, words, traditional }) {
    learn(traditional);
    sections = pages.flatMap(([name, address, title, weight, all]) =>
      all.map(([anchor, called, said, ...headings], place) => ({
        name,
        address,
        title,
        weight,
        place,
        siblings: all.length,
        anchor,
        called,
        said,
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
    sections.forEach(({ called, headings, said }, id) => {
      for (const word of cut(called)) enter(word, 0, id);
      for (const word of cut(headings.at(-1))) enter(word, 1, id);
      for (const word of cut(said)) enter(word, 2, id);
    });
    for (const [word, ids] of unpack(words)) for (const id of ids) enter(word, 3, id);
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

  /** What of the words stands in which section: by its id {scores, one a word; terms that fit}. */
  function hits(words, options) {
    const found = new Map();
    words.forEach((word, i) => {
      const prefix = isBeginning(word, i === words.length - 1);
      const given = { tokenize: () => [word], prefix, ...options };
      for (const { id, score, terms } of engine.search(word, given)) {
        if (!found.has(id)) found.set(id, { scores: words.map(() => 0), terms: [] });
        const hit = found.get(id);
        hit.scores[i] = score;
        hit.terms.push(...terms);
      }
    });
    return found;
  }

  /** The more of the words, the better: many scores count more than a single large one. */
  const together = (scores) => sum(scores) * scores.filter(Boolean).length;

  /** The sections of a page, those first that have what few of the others have. */
  function ranked(found, words) {
    const places = words.map((_, i) => found.filter(({ scores }) => scores[i]).length);
    const rarity = places.map((n) => Math.log(1 + found[0].siblings / n));
    const rank = ({ scores, place, exact }) =>
      together(scores.map((score, i) => score && score * rarity[i])) *
      exact *
      (place || words.length < 3 ? 1 : TOP);
    const [first, ...others] = found
      .map((section) => [rank(section), section])
      .sort(([a], [b]) => b - a);
    // The top of a page leads nowhere that its sections do not: it comes first, or last.
    others.sort(([, a], [, b]) => Number(!a.place) - Number(!b.place));
    return [first, ...others].map(([, { anchor, headings, place, terms }]) => ({
      anchor,
      headings,
      place,
      terms,
    }));
  }

  /** Pages, best first: [{name, address, title, score, sections: [{anchor, headings, place, terms}]}]. */
  function find(query, options = {}, words = asked(query.slice(0, 300))) {
    const typed = bare(query);
    const pages = new Map();
    for (const [id, hit] of hits(words, options)) {
      const section = sections[id];
      const exact = section.names.has(typed) ? EXACT : 1;
      if (!pages.has(section.name)) pages.set(section.name, []);
      pages.get(section.name).push({ ...section, ...hit, exact });
    }
    return [...pages.values()]
      .map((found) => {
        const [{ name, address, title, weight }] = found;
        const best = found
          .map(({ scores, exact }) => exact * together(scores))
          .sort((a, b) => b - a);
        const spread = words.map((_, i) => Math.max(...found.map(({ scores }) => scores[i])));
        // A page is as good as its best section, and a little better for every other.
        const score = sum(best.map((one, i) => one / 2 ** i)) + SPREAD * together(spread);
        return { name, address, title, score: weight * score, sections: ranked(found, words) };
      })
      .sort((a, b) => b.score - a.score);
  }

  /** What comes nearest where nothing is found: more letters may be wrong, any sign may match. */
  function nearest(query) {
    const words = asked(query.slice(0, 300)).flatMap((word) => (isHan(word) ? [...word] : [word]));
    return find(query, { fuzzy: (term) => !isHan(term) && 0.4, prefix: true }, words);
  }

  return { build, find, load, nearest };
})();
