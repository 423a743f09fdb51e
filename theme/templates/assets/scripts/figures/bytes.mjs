// A number of bytes as it is easily read.
import { number } from "./core.mjs";

/** Bytes with the unit in which they are easily read. @param {number} bytes */
export const written = (bytes) => {
  const power = Math.max(0, Math.min(4, Math.floor(Math.log2(bytes) / 10)));
  const value = bytes / 1024 ** power;
  const decimals = Number.isInteger(value) || value >= 100 ? 0 : 1;
  return `${number(value, decimals)} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
};
