import { readFileSync } from "node:fs";
import type { Position } from "../base/source.js";
import { unreadable } from "../base/unreadable.js";

/** What a mapping file calls itself. */
export interface ProfileHead {
  readonly profile: string;
  readonly adapter: string | undefined;
  /** Names of before. */
  readonly replaces: readonly string[];
  readonly file: string;
  /** Where its name stands. */
  readonly at: Position;
}

/**
 * Without parsing the file, which may have mistakes elsewhere; block style, flow style and JSON. No pattern goes on from
 * line to line without a word: that would take a long time in a file of many blank ones.
 */
const PROFILE_NAME = /^[\uFEFF \t{]*["']?profile["']?:[ \t]*["']?([^"'\s#,}]+)/m;
const ADAPTER_NAME = /^[\uFEFF \t{]*["']?adapter["']?:[ \t]*["']?([^"'\s#,}]+)/m;
const REPLACES = /^[\uFEFF \t{]*["']?replaces["']?:[ \t]*(?:\[([^\]]*)\]|((?:\r?\n[ \t]*- .*)+))/m;

/** The names at the head of a mapping file, whatever else is wrong with it; undefined when it is none. */
export function profileHeadOf(file: string): ProfileHead | undefined {
  const text = readText(file);
  const name = PROFILE_NAME.exec(text);
  const profile = name?.[1];
  if (name === null || profile === undefined) return undefined;
  const before = text.slice(0, name.index + name[0].length - profile.length).split("\n");
  const at = { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  const [, flow, block] = REPLACES.exec(text) ?? [];
  const replaces = (flow?.split(",") ?? block?.split(/\r?\n[ \t]*- /) ?? []).map(bare).filter((old) => old !== "");
  return { profile, adapter: ADAPTER_NAME.exec(text)?.[1], replaces, file, at };
}

/** Rejects with CONFIG_UNREADABLE. */
export function readText(file: string): string {
  try {
    // There are many small ones at each start: read asynchronously they would cost several times as much.
    return readFileSync(file, "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Without quotes and a comment. */
function bare(text: string): string {
  return text
    .replace(/#.*$/, "")
    .trim()
    .replace(/^["']|["']$/g, "");
}
