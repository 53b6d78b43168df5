import type { Scalar } from "./reading.js";

const SHOWN_CHARACTERS = 40;

/** No type of a field has more digits. */
const WHOLE = /^[-+]?\d{1,20}$/;

/** Beyond ±2^53 as bigint: serial numbers and counters must not lose their last digits. */
function wholeNumber(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text.replace("+", ""));
}

/** What a device wrote as text, or in JSON, as the kind that the mapping wants. */
export function valueFromText(
  told: Scalar,
  kind: "number" | "boolean" | "string",
): { readonly quality: "good"; readonly value: Scalar } | { readonly quality: "invalid"; readonly reason: string } {
  if (kind === "string") return { quality: "good", value: String(told) };
  const text = String(told).trim();
  const shown = text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
  if (kind === "boolean") {
    if (text === "true" || text === "1") return { quality: "good", value: true };
    if (text === "false" || text === "0") return { quality: "good", value: false };
    return { quality: "invalid", reason: `'${shown}' is neither true nor false` };
  }
  if (typeof told === "string" && WHOLE.test(text)) return { quality: "good", value: wholeNumber(text) };
  const number = text === "" ? Number.NaN : Number(told);
  if (Number.isFinite(number)) return { quality: "good", value: number };
  return { quality: "invalid", reason: `'${shown}' is not a number` };
}
