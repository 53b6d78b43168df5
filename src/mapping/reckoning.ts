import { CausewayError } from "../base/errors.js";
import type { FaultQuality, Reading } from "../field/reading.js";
import { type Expression, type Operand, operandOf } from "./expression/expression.js";

/** What may be wrong with an input; of several the later counts. */
const BY_HARM: readonly FaultQuality[] = [
  "stale",
  "timeout",
  "crc",
  "exception",
  "out-of-range",
  "invalid",
  "unsupported",
  "never-read",
];

type Fault = Extract<Reading, { readonly reason: string }>;

/** What a formula makes of the readings of its inputs: as bad as the worst of them and as new as the newest. */
export function reckon(name: string, expression: Expression, known: ReadonlyMap<string, Reading>): Reading {
  const inputs = expression.names.map((input) => known.get(input) ?? neverRead(input));
  const atMs = Math.max(0, ...inputs.map((input) => input.atMs));
  const worst = worstOf(inputs);
  if (worst !== undefined) {
    return { point: name, atMs, quality: worst.quality, reason: `${worst.point}: ${worst.reason}` };
  }
  const quality = inputs.some((input) => input.quality === "manual") ? "manual" : "good";
  try {
    const value = expression.evaluate((input) => operandAt(known, input));
    if (typeof value !== "number" || Number.isFinite(value)) return { point: name, atMs, quality, value };
    return { point: name, atMs, quality: "invalid", reason: `'${expression.text}' gives no number` };
  } catch (error) {
    if (!(error instanceof CausewayError)) throw error;
    return { point: name, atMs, quality: "invalid", reason: `'${expression.text}': ${error.message}` };
  }
}

function worstOf(inputs: readonly Reading[]): Fault | undefined {
  let worst: Fault | undefined;
  for (const input of inputs) {
    if (!("reason" in input)) continue;
    if (worst === undefined || BY_HARM.indexOf(input.quality) > BY_HARM.indexOf(worst.quality)) worst = input;
  }
  return worst;
}

function operandAt(known: ReadonlyMap<string, Reading>, name: string): Operand {
  const value = known.get(name)?.value;
  const operand = value === undefined ? undefined : operandOf(value);
  if (operand !== undefined) return operand;
  throw new CausewayError("VALUE_INVALID", `${name} has bytes, with which nothing can be reckoned`);
}

function neverRead(point: string): Reading {
  return { point, atMs: 0, quality: "never-read", reason: "nothing has come yet" };
}
