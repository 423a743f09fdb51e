// How text is cut into words: the build cuts the pages with it, in V8, and the page what is asked.
"use strict";

globalThis.Words = (() => {
  const SAME = [
    [/√|根号/g, " sqrt "],
    [/⊤/g, "t"],
  ];
  // Chinese is cut at characters that only join words, which spares a third of the index.
  const JOINTS =
    "的了是在和与把被也就都这那它们而或及吗呢吧啊么着一个不有为以从到其所由于之每只很还又再才要会";
  const HAN = /\p{Script=Han}/u;
  const WORD = new RegExp(
    `\\d+\\.\\d+|(?:(?![${JOINTS}])\\p{Script=Han})+|(?:(?!\\p{Script=Han})[\\p{L}\\p{N}_^])+`,
    "gu",
  );
  // What makes a sentence a question, and says nothing about what is asked.
  const ASKING =
    /请问|为什么|为何|为啥|什么是|是什么|什么|怎么样|怎么|怎样|如何|哪里|哪些|哪个|是不是|能不能|[的了吗呢吧啊么是]/g;
  const QUIET = new Set(
    (
      "a about an and are as at be by can could do does explain for from how i in is it its" +
      " me my not of on or should that the there they thi this to wa was we what when where which why with would you"
    ).split(" "),
  );

  let simplified = new Map();
  /** Traditional characters that stand for one of the site's, in pairs: "機机權权". */
  const learn = (pairs) => {
    simplified = new Map([...pairs.matchAll(/(.)(.)/gu)].map(([, from, to]) => [from, to]));
  };

  const plain = (text) => {
    const same = text
      .normalize("NFKC")
      .toLowerCase()
      .replace(/\p{Script=Han}/gu, (one) => simplified.get(one) ?? one);
    return SAME.reduce((done, [from, to]) => done.replace(from, to), same);
  };

  const singular = (word) => {
    if (word.length < 4 || /(?:ss|us|is)$/.test(word)) return word;
    return word.endsWith("ies") ? `${word.slice(0, -3)}y` : word.replace(/s$/, "");
  };

  /** Chinese in overlapping pairs; W_Q as wq; a name with underscores as a whole and in parts. */
  const cut = (text) =>
    [...plain(text).matchAll(WORD)].flatMap(([run]) => {
      if (/^\d+\.\d/.test(run)) return []; // nobody types a decimal, and there are thousands
      if (HAN.test(run)) {
        const signs = [...run];
        return signs.length === 1 ? signs : signs.slice(1).map((sign, i) => signs[i] + sign);
      }
      const parts = run.split(/[_^]+/).filter((part) => part.length > 1);
      const whole = singular(run.replace(/[_^]/g, ""));
      return [...new Set([whole, ...(run.includes("_") ? parts.map(singular) : [])])].filter(
        Boolean,
      );
    });

  const asked = (query) => {
    const all = cut(query),
      telling = cut(plain(query).replace(ASKING, " ")).filter((word) => !QUIET.has(word));
    return [...new Set(telling.length ? telling : all)];
  };

  return {
    asked,
    cut,
    learn,
    plain,
    isHan: (word) => HAN.test(word),
    /** Of the Traditional characters those that stand for one of `used`, in pairs again. */
    learned: (used) =>
      [...simplified]
        .filter(([, to]) => used.has(to))
        .flat()
        .join(""),
  };
})();
