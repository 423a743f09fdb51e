// What is said on the page, in its language: the wording of both stands side by side.

/** @typedef {"zh" | "en"} Language */
/**
 * A text in both languages, or what makes one of the same arguments.
 * @template T
 * @typedef {{ zh: T, en: T }} Both
 */

export const { language } = globalThis.qkv; // start.js

/**
 * Of a table { name: { zh, en } } the side of the page's language: { name: text }.
 * @template {Record<string, Both<any>>} Table
 * @param {Table} table
 * @returns {{ [Name in keyof Table]: Table[Name]["en"] }}
 */
export const words = (table) =>
  /** @type {any} */ (
    Object.fromEntries(Object.entries(table).map(([name, both]) => [name, both[language]]))
  );
