import type { Scalar } from "./reading.js";

const SHOWN_CHARACTERS = 40;

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
  const number = text === "" ? Number.NaN : Number(told);
  if (Number.isFinite(number)) return { quality: "good", value: number };
  return { quality: "invalid", reason: `'${shown}' is not a number` };
}
