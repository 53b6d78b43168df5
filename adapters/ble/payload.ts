import type { Advertisement } from "./advertisement.js";

/** Undefined in the place of a byte that may be anything. */
export type BytePattern = readonly (number | undefined)[];

/** `05 .. ff` or `05..ff`: bytes in hex, `..` for any; undefined when the text is no pattern. */
export function matchPattern(text: string): BytePattern | undefined {
  const digits = text.replaceAll(/\s/g, "");
  if (!/^(?:[0-9a-fA-F]{2}|\.\.)+$/.test(digits)) return undefined;
  return Array.from({ length: digits.length / 2 }, (_, index) => {
    const pair = digits.slice(2 * index, 2 * index + 2);
    return pair === ".." ? undefined : Number.parseInt(pair, 16);
  });
}

export function matches(bytes: Uint8Array, pattern: BytePattern): boolean {
  return pattern.every((byte, index) => index < bytes.length && (byte === undefined || byte === bytes[index]));
}

/** The data of a company; with `any` those that came last, with the identifier in front, as they are on the air. */
export function manufacturerBytes(heard: Advertisement, company: number | "any"): Uint8Array | undefined {
  if (company !== "any") return heard.manufacturer?.get(company);
  const { newestCompany } = heard;
  const data = newestCompany === undefined ? undefined : heard.manufacturer?.get(newestCompany);
  if (newestCompany === undefined || data === undefined) return undefined;
  const bytes = new Uint8Array(data.length + 2);
  bytes[0] = newestCompany & 0xff;
  bytes[1] = newestCompany >> 8;
  bytes.set(data, 2);
  return bytes;
}
