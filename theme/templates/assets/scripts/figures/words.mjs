// Cutting what a reader types into words of a small vocabulary.

const STOP = /[\s\p{P}]/u;
// "apples" is not "apple" and an s, "a77" not a7 and a 7
const glued = (text, at) => /^(?:[a-z]{2}|\d\d)$/.test(text.slice(at - 1, at + 1));

/**
 * The longest word of the vocabulary at each place, whether or not there are spaces between
 * them; upper and lower case, full and half width are the same. { words, unknown }.
 */
export const cut = (text, vocabulary) => {
  const typed = text.normalize("NFKC").toLowerCase(),
    words = [],
    unknown = [];
  const known = vocabulary
    .map((word) => [word, word.toLowerCase()])
    .sort((a, b) => b[1].length - a[1].length);
  const find = (at) =>
    known.find(
      ([, word]) =>
        typed.startsWith(word, at) && !glued(typed, at) && !glued(typed, at + word.length),
    );
  for (let at = 0; at < typed.length;) {
    const found = find(at);
    if (found) {
      words.push(found[0]);
      at += found[1].length;
    } else if (STOP.test(typed[at])) at += 1;
    else {
      const from = at;
      do at += 1;
      while (at < typed.length && !STOP.test(typed[at]) && !find(at));
      unknown.push(typed.slice(from, at));
    }
  }
  return { words, unknown };
};
