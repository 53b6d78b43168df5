import type { Clock } from "../base/clock.js";
import type { Log } from "../base/log.js";
import type { DeviceTraits, Point } from "./point.js";
import type { Scalar } from "./reading.js";

/** One option of a tool, in the words of node:util's parseArgs. */
export interface ToolOption {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** What stands for the value in the help, e.g. `PATH`. */
  readonly value?: string;
  readonly summary: string;
}

export interface ToolArguments {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** One line of a tool's result: a row of a table for people, an object for programs. Absent cells are empty. */
export type Finding = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** What a value of a point must be for a station to be of a profile's type. */
export interface Expectation<P> {
  readonly point: Point<P>;
  holds(value: Scalar): boolean;
}

/** A profile as a tool sees it that looks for its stations. */
export interface ProfileCandidate<P> {
  readonly name: string;
  readonly title: string;
  readonly traits: DeviceTraits;
  readonly points: readonly Point<P>[];
  /** What identifies the type; empty when the profile names nothing. */
  readonly probe: readonly Expectation<P>[];
  /** What a healthy installation shows: raw values that lie in the ranges of `verify`. */
  readonly plausible: readonly Expectation<P>[];
}

export interface ToolContext<P> {
  readonly clock: Clock;
  readonly log: Log;
  /** The profiles of this adapter, shipped and the user's own. */
  readonly profiles: readonly ProfileCandidate<P>[];
  /** Called in the order in which the rows shall stand; those that are known together at once, for a table of its width. */
  found(...findings: readonly Finding[]): void;
  /** What the tool is at, in a few words; replaced by the next call on a terminal, not shown to programs. */
  progress(text: string): void;
}

/** Work that an adapter does for a person at the command line: `causeway scan NAME …`, `causeway read NAME …`. */
export interface FieldTool<P> {
  readonly summary: string;
  /** What a person should look after when nothing was found. */
  readonly whenNothing?: string;
  /** What follows `causeway scan NAME` in the usage line. */
  readonly synopsis: string;
  readonly options: Readonly<Record<string, ToolOption>>;
  /**
   * Ends when there is nothing more to find, or with the signal, which is no error then. Rejects with USAGE for
   * arguments that make no sense, with LINK_* when nothing can be opened.
   */
  run(args: ToolArguments, context: ToolContext<P>, signal: AbortSignal): Promise<void>;
}
