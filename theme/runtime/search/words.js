// How text is cut into words: the build cuts the pages with it, in V8, and the page what is asked.
"use strict";

globalThis.Words = (() => {
  const SAME = [
    [/√|根号|平方根|开平方|开根号|square roots?( of)?/g, " sqrt "],
    [/⊤/g, "t"],
    [/∂/g, " d"], // ∂L/∂Q as dL/dQ
  ];
  // Chinese is cut at characters that only join words, which spares half of the index.
  const JOINTS =
    "的了是在和与把被也就都这那它们而或及吗呢吧啊么着一个不有为以从到其所由于之每只很还又再才要会没让给能来去做时个上下里用对得过出看各但却若些第已如";
  const HAN = /\p{Script=Han}/u;
  const isHan = (word) => HAN.test(word);
  const WORD = new RegExp(
    `\\d+\\.\\d+|(?:(?![${JOINTS}])\\p{Script=Han})+|(?:(?!\\p{Script=Han})[\\p{L}\\p{N}_^])+`,
    "gu",
  );
  // What makes a sentence a question, and says nothing about what is asked.
  const ASKING =
    /请问|为什么|为何|为啥|什么是|是什么|什么|怎么样|怎么|怎样|如何|哪里|哪些|哪个|是不是|能不能|能否|是否|会不会|有没有|可以|需要|应该|必须|到底|究竟|一定|直接|自己|还是|如果|既然|因为|所以|但是|时候|作用|[的了吗呢吧啊么是]/g;
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

  /** What query, queries and querying, normalise and normalized have in common. */
  const stem = (word) => {
    if (!/^[a-z]{4,}$/.test(word)) return word;
    const one = word
      .replace(/(?<![isu])s$/, "")
      .replace(/ie$/, "y")
      .replace(/is(?=(?:e|ed|ing|er|ation)$)/, "iz");
    const short = one.replace(/(?:ing?|ed|e)$/, ""); // "in": the reader is still typing
    return (short.length < 3 ? one : short)
      .replace(/([bdgmnprt])\1$/, "$1")
      .replace(/(?<=...)y$/, "i");
  };

  const QUIET = new Set(
    (
      "a about after all also always am an and any anyone are as at be because been before being between both but by" +
      " came can could couldn did do does doesn don done each else every explain for from get got had has have he her" +
      " his how i if in into is isn it its just know let like many may me might more most much must my need never no" +
      " not of on once one only or other our out over own put really same say see she should so some such t take tell" +
      " than that the their them then there these they thing this those through to too under up us use very want was" +
      " we were what when where which while who whose why will with won would yet you your"
    )
      .split(" ")
      .map(stem),
  );

  /** Chinese in overlapping pairs; W_Q as wq; a name with underscores as a whole and in parts. */
  const cut = (text) =>
    [...plain(text).matchAll(WORD)].flatMap(([run]) => {
      if (/^\d+\.\d/.test(run)) return []; // nobody types a decimal, and there are thousands
      if (isHan(run)) {
        const signs = [...run];
        return signs.length === 1 ? signs : signs.slice(1).map((sign, i) => signs[i] + sign);
      }
      const parts = run.split(/[_^]+/).filter((part) => part.length > 1);
      const whole = stem(run.replace(/[_^]/g, ""));
      return [...new Set([whole, ...(run.includes("_") ? parts.map(stem) : [])])].filter(Boolean);
    });

  const telling = (text) =>
    cut(plain(text).replace(ASKING, " ")).filter((word) => !QUIET.has(word));

  const CODE = new Set(
    "al def et false import none np print return round true".split(" ").map(stem),
  );
  /** Of a text what is worth finding: not a digit or two, and of single letters only q, k and v. */
  const told = (text) =>
    telling(text).filter((word) => !CODE.has(word) && !/^(?:\d\d?|[a-jl-pr-uw-z])$/.test(word));

  /** A shorter text with the same words: each run once, none that stands in another. */
  const once = (text) => {
    const runs = [...new Set([...plain(text).matchAll(WORD)].map(([run]) => run))];
    return runs
      .filter((run) => !/^\d+\.\d/.test(run))
      .filter(
        (run) =>
          !(isHan(run) && run.length > 1 && runs.some((one) => one !== run && one.includes(run))),
      )
      .join(" ");
  };

  const asked = (query) => {
    const all = cut(query),
      some = telling(query);
    return [...new Set(some.length ? some : all)];
  };

  return {
    asked,
    cut,
    learn,
    once,
    plain,
    told,
    isHan,
    /** Of the Traditional characters those that stand for one of `used`, in pairs again. */
    learned: (used) =>
      [...simplified]
        .filter(([, to]) => used.has(to))
        .flat()
        .join(""),
  };
})();
