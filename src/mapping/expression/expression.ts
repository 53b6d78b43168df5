import type { Scalar } from "../../field/reading.js";
import type { Operand } from "./operator.js";
import { type Evaluate, ParseFailure, Parser } from "./parser.js";
import { type ExpressionProblem, tokenize } from "./token.js";

export type { Operand } from "./operator.js";
export type { ExpressionProblem } from "./token.js";

/** A formula over points, e.g. `importEnergy - exportEnergy`: pure, without loops, access to nothing else. */
export interface Expression {
  readonly text: string;
  /** The points that it refers to, in order of appearance. */
  readonly names: readonly string[];
  /** Throws VALUE_INVALID when a value is of the wrong kind; the result may be NaN or infinite, e.g. after 1 / 0. */
  readonly evaluate: Evaluate;
}

/** Each sum of a longer one would be a step down the stack when it is reckoned. */
const MAX_TOKENS = 1000;

export function parseExpression(text: string): Expression | ExpressionProblem {
  const tokens = tokenize(text);
  if ("what" in tokens) return tokens;
  const surplus = tokens[MAX_TOKENS];
  if (surplus !== undefined) {
    return { offset: surplus.offset, what: "is too long", hint: "divide it among several derived points" };
  }
  const parser = new Parser(tokens, text.length);
  try {
    const evaluate = parser.parse();
    return { text, names: [...parser.names], evaluate };
  } catch (error) {
    if (error instanceof ParseFailure) return error.problem;
    throw error;
  }
}

/** Undefined for bytes, with which nothing can be reckoned. */
export function operandOf(value: Scalar): Operand | undefined {
  if (typeof value === "bigint") return Number(value);
  return value instanceof Uint8Array ? undefined : value;
}
