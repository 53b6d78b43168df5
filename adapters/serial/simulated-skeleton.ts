import { CausewayError, NO_BYTES, type Point } from "causeway/adapter";
import type { FrameKind, Match, SerialPoint, SerialProtocol } from "./options.js";
import { textFor } from "./simulated-pattern.js";
import { documentOf } from "./simulated-place.js";

/** What a kind of frame is made of. */
export interface FramePlan {
  /** For errors: the station, or its point. */
  readonly place: string;
  readonly protocol: SerialProtocol;
  readonly kind: FrameKind;
  /** Those that stand in it. */
  readonly points: readonly Point<SerialPoint>[];
}

const SEPARATORS = [" ", ",", ";", "", "\t", "\r\n"];
/** As of a meter (IEC 62056-21 §6.3.2): the maker, whom the FLAG Association does not know, and its baud rate. */
const METER = "CWY5CAUSEWAY\r\n\r\n";

/**
 * Contents in which each regular expression of the points may have its place, the plainest first, one character for each
 * byte. Throws CONFIG_INVALID for an expression that no text can be made for.
 */
export function skeletons(plan: FramePlan): readonly string[] {
  const { protocol, points } = plan;
  const start = latin(protocol.framing?.start ?? NO_BYTES);
  const places = points.map(({ address }) => address.at);
  const drafts = openings(plan).flatMap((text) => {
    if (places.some((at) => at?.json !== undefined)) return documentsWith(text);
    if (places.some((at) => at?.obis !== undefined)) return [dataBlock(text, start)];
    return [text, `${text}0`];
  });
  // The mark may have been anything to an expression.
  return drafts.flatMap((text) => (text.startsWith(start) ? [text] : [start + text, start + text.slice(start.length)]));
}

/** What the kind of frame begins with and what its points look for, together and, where one has it all, alone. */
function openings({ place, kind: { match }, points }: FramePlan): readonly string[] {
  const opening = match === undefined ? "" : openingOf(match, place);
  const texts = points.flatMap(({ name, address: { at } }) =>
    at?.match === undefined || at.obis !== undefined ? [] : [textOrThrow(at.match, at.group ?? 1, `${place}.${name}`)],
  );
  const alone = texts.toSorted((a, b) => b.length - a.length);
  const together = SEPARATORS.flatMap((separator) => {
    const joined = texts.join(separator);
    return [joined, opening + joined, opening + separator + joined];
  });
  return [...alone, opening, ...together];
}

function openingOf(match: Match, place: string): string {
  return "start" in match ? latin(match.start) : textOrThrow(match.text, 0, place);
}

function textOrThrow(pattern: string, group: number, place: string): string {
  const text = textFor(pattern, group);
  if (text !== undefined) return text;
  throw new CausewayError("CONFIG_INVALID", `${place} cannot be simulated: no text is known for '${pattern}'`);
}

/** JSON that has the text in it. */
function documentsWith(text: string): readonly string[] {
  const drafts = [text, `${text}}`, `{${text}}`, `${text}"":0}`, "{}"];
  return drafts.filter((draft) => typeof documentOf(draft) === "object");
}

/** What is before the data lines, which begin at a line of their own. */
function dataBlock(text: string, start: string): string {
  if (text === "" || text === start) return start === "" ? "" : start + METER;
  return text.endsWith("\r\n") ? text : `${text}\r\n`;
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
