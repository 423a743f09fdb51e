// What a reader makes of a snippet: kept on this device, by page and section, the same for both
// languages; and sent in a link.

/** @typedef {{ now: string, of: string }} Edit  the code, and what it was made of */

/**
 * The kept edit, if there is one that can be read.
 * @param {string} key
 * @returns {Edit | null}
 */
export function kept(key) {
  try {
    const { now, of } = JSON.parse(localStorage.getItem(key) ?? "null");
    return typeof now === "string" ? { now, of } : null;
  } catch {
    return null; // none, unreadable, or storage is refused
  }
}

/**
 * Keep an edit, or forget it where it is the page's own code again. False where it cannot be kept.
 * @param {string} key
 * @param {Edit} edit
 */
export function keep(key, { now, of }) {
  try {
    if (now === of) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify({ now, of }));
    return true;
  } catch {
    return false;
  }
}

/** Code as it stands in a link. @param {string} text */
export const encode = (text) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

/** Code out of a link; null where it cannot be read. @param {string | null} text */
export function decode(text) {
  try {
    const letters = atob((text ?? "").replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes) || null;
  } catch {
    return null;
  }
}
