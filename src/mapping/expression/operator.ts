import { CausewayError } from "../../base/errors.js";

/** What an expression reckons with; 64-bit integers of the field become numbers. */
export type Operand = number | boolean | string;

/** Binary operators, those that bind least first; all are left-associative. */
export const PRECEDENCE: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["==", "!="],
  ["<", "<=", ">", ">="],
  ["|"],
  ["&"],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
];

/** Without those that need not look at their right side, && and ||. */
export const BINARY: Readonly<Record<string, (a: Operand, b: Operand) => Operand>> = {
  "==": (a, b) => isEqual(a, b),
  "!=": (a, b) => !isEqual(a, b),
  "<": (a, b) => number(a) < number(b),
  "<=": (a, b) => number(a) <= number(b),
  ">": (a, b) => number(a) > number(b),
  ">=": (a, b) => number(a) >= number(b),
  "+": (a, b) => number(a) + number(b),
  "-": (a, b) => number(a) - number(b),
  "*": (a, b) => number(a) * number(b),
  "/": (a, b) => number(a) / number(b),
  "%": (a, b) => number(a) % number(b),
  "|": (a, b) => Number(whole(a) | whole(b)),
  "&": (a, b) => Number(whole(a) & whole(b)),
  "<<": (a, b) => Number(whole(a) << shift(b)),
  ">>": (a, b) => Number(whole(a) >> shift(b)),
};

export interface Routine {
  readonly min: number;
  readonly max: number;
  readonly call: (...values: number[]) => number;
}

const MANY = 16;

export const ROUTINES: Readonly<Record<string, Routine>> = {
  min: { min: 1, max: MANY, call: Math.min },
  max: { min: 1, max: MANY, call: Math.max },
  abs: { min: 1, max: 1, call: Math.abs },
  round: { min: 1, max: 2, call: (value = 0, decimals = 0) => rounded(value, decimals) },
  floor: { min: 1, max: 1, call: Math.floor },
  sqrt: { min: 1, max: 1, call: Math.sqrt },
  pow: { min: 2, max: 2, call: Math.pow },
};

/** A number, or a switch as 0 or 1; throws VALUE_INVALID for text. */
export function number(value: Operand): number {
  if (typeof value === "string") throw new CausewayError("VALUE_INVALID", `'${value}' is no number`);
  return Number(value);
}

/** Throws VALUE_INVALID for what is neither true nor false. */
export function truth(value: Operand): boolean {
  if (typeof value === "boolean") return value;
  if (value === 0 || value === 1) return value === 1;
  throw new CausewayError("VALUE_INVALID", `${value} is neither true nor false`);
}

/** A switch equals 0 or 1; throws VALUE_INVALID for text and a number, which never could be equal. */
function isEqual(a: Operand, b: Operand): boolean {
  if (typeof a === "string" && typeof b === "string") return a === b;
  return number(a) === number(b);
}

function whole(value: Operand): bigint {
  const given = number(value);
  if (Number.isSafeInteger(given)) return BigInt(given);
  throw new CausewayError("VALUE_INVALID", `${given} is no whole number, it has no bits`);
}

function shift(value: Operand): bigint {
  const given = whole(value);
  if (given >= 0n && given <= 52n) return given;
  throw new CausewayError("VALUE_INVALID", `${given} is no shift of 0 to 52 bits`);
}

function rounded(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}
