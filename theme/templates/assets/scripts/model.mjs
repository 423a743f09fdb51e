// multilingual-e5-small in the reader's browser: not in this build.

/** How many bytes are still to be fetched; null where there is no model. */
export const missing = async () => null;
