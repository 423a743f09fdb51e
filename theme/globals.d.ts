// What the scripts of a page find in its global scope.

interface Qkv {
  /** The page's language. */
  language: "zh" | "en";
  /** A script of the site, by its name in assets/scripts; asked for once, until it came. */
  load(name: string): Promise<any>;
  /** Whether an error says that a script did not come, and not that it failed. */
  lost(error: unknown): boolean;
  /** Open every closed box that an element stands in; returns whether there was one. */
  reveal(target: Element | null): boolean;
}
declare var qkv: Qkv;
/** What this reader guessed, by page and snippet, and whether outputs are always shown; kept by
 * Material's way to the storage (partials/javascripts). */
declare var guesses: Record<string, string>;
declare function __md_get(key: string): any;
declare function __md_set(key: string, value: unknown): void;
/** scripts/prompts.mjs, above runtime/copy.js. */
declare function parse(text: string): { code: string; want: string };
/** Material's: every page that instant navigation brings. */
declare var document$: { next(page: Document): void; subscribe(next: () => void): void };
/** Of search/search.js, from which the build makes one script (theme/search.py). */
declare var MiniSearch: any;
declare var Words: any;
declare var Search: any;
declare var searchIndex: any;

// The scripts know their elements by the selector; that each is there is a test's affair.
interface ParentNode {
  querySelector(selectors: string): any;
  querySelectorAll(selectors: string): NodeListOf<any>;
}
