import { CausewayError } from "../base/errors.js";
import type { ToolArguments } from "./tool.js";

const LONGEST_S = 3600;

/** The text of an option; undefined when it was not given. */
export function textArgument({ values }: ToolArguments, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** `--seconds`, as milliseconds. Throws USAGE for what is no time up to an hour. */
export function secondsArgument(args: ToolArguments, defaultS: number): number {
  const seconds = Number(textArgument(args, "seconds") ?? defaultS);
  if (seconds > 0 && seconds <= LONGEST_S) return 1000 * seconds;
  throw new CausewayError("USAGE", `--seconds is a number up to ${LONGEST_S}`);
}
