// The prompts of an interactive session: which of it is code and which is output, as doctest has
// it. docs/examples/__init__.py reads them in Python; tests/test_prompts.py holds the two together.

// A line with >>>, the lines with ... under it, and the output up to an empty line.
const EXAMPLE = /^( *)>>>[^\n]*(?:\n *\.\.\.[^\n]*)*\n?((?:(?! *$)(?! *>>>)[^\n]+\n?)*)/gm;

/**
 * The code of a session without its prompts, and all that it shows.
 * @param {string} text
 */
export function parse(text) {
  const code = [];
  const want = [];
  for (const [all, indent, shown] of text.matchAll(EXAMPLE)) {
    const lines = all
      .slice(0, all.length - shown.length)
      .replace(/\n$/, "")
      .split("\n");
    const typed = lines.map((line) => line.slice(indent.length + 4));
    if (typed.length > 1 && !typed.at(-1)) typed.pop(); // an empty ... only ends its block
    code.push(...typed);
    if (shown) {
      const output = shown.replace(/\n$/, "").split("\n");
      want.push(...output.map((line) => line.slice(indent.length)));
    }
  }
  return { code: code.join("\n"), want: want.join("\n") };
}

/**
 * Whether a text begins as a session does.
 * @param {string} text
 */
export const prompted = (text) => /^\s*>>>( |$)/m.test(text.split("\n", 1)[0]);
