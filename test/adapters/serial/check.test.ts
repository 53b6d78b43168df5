import { describe, expect, it } from "vitest";
import { linkProblem, pointProblem, stationProblem, traitsProblem } from "../../../adapters/serial/check.js";
import type { SerialLinkOptions, SerialPoint, SerialProtocol } from "../../../adapters/serial/options.js";
import { latin, serialPoint } from "./serial-rig.js";

const LINES: SerialProtocol = { framing: { end: latin("\n") }, frames: new Map([["a", {}]]) };
const TWO: SerialProtocol = {
  ...LINES,
  frames: new Map([
    ["a", {}],
    ["b", { request: { hex: "01 {unit} {checksum}" } }],
  ]),
};

function expectProblem(problem: string | undefined, complaint: RegExp | undefined): void {
  if (complaint === undefined) expect(problem).toBeUndefined();
  else expect(problem).toMatch(complaint);
}

describe("what the check says", () => {
  it.each<[SerialLinkOptions, RegExp | undefined]>([
    [{ port: "/dev/ttyUSB0" }, undefined],
    [{ port: 4001, host: "server" }, undefined],
    [{ port: 4001 }, /path/],
    [{ port: "/dev/ttyUSB0", host: "server" }, /number/],
  ])("of the link %o", (options, complaint) => {
    expectProblem(linkProblem(options), complaint);
  });

  it.each<[string, SerialProtocol | undefined, RegExp | undefined]>([
    ["good lines", TWO, undefined],
    ["a session", { session: "iec62056-21" }, undefined],
    ["nothing", undefined, /framing' is missing/],
    ["no frames", { framing: { end: latin("\n") } }, /frames' is missing/],
    ["a session with frames", { ...LINES, session: "iec62056-21" }, /its own/],
    ["no end", { ...LINES, framing: { start: latin("$") } }, /one of/],
    ["two lengths", { ...LINES, framing: { length: 3, gapMs: 5 } }, /one of/],
    ["a tail of nothing", { ...LINES, framing: { length: 3, tail: 5 } }, /behind 'end'/],
    [
      "a broken pattern",
      { ...LINES, frames: new Map([["a", { match: { text: "(" } }]]) },
      /frames\.a: '\(' is no regular/,
    ],
    ["a broken refusal", { ...LINES, frames: new Map([["a", { refusals: new Map([["[", "x"]]) }]]) }, /no regular/],
    ["odd hex", { ...LINES, frames: new Map([["a", { request: { hex: "0 {unit}" } }]]) }, /not hexadecimal/],
  ])("of a protocol with %s", (_, protocol, complaint) => {
    expectProblem(traitsProblem(protocol === undefined ? {} : { protocol }), complaint);
  });

  it.each<[string, SerialPoint, "r" | "w" | "rw", SerialProtocol, RegExp | undefined]>([
    ["a good one", { at: { csv: 1 }, type: "number" }, "r", LINES, undefined],
    ["no place", {}, "r", LINES, /'at' is missing/],
    ["no request", { at: { csv: 1 } }, "rw", LINES, /needs 'write'/],
    ["no frame", { at: { csv: 1 } }, "r", TWO, /at\.frame' is missing: a, b/],
    ["an unknown frame", { at: { frame: "c", csv: 1 } }, "r", TWO, /no frame 'c'/],
    ["a frame in a session", { at: { frame: "c", obis: "1.8.0" } }, "r", { session: "iec62056-21" }, /no named frames/],
    ["two places", { at: { csv: 1, offset: 2 } }, "r", LINES, /only one/],
    ["a match of a field", { at: { csv: 1, match: "(x)" } }, "r", LINES, /stands alone/],
    ["a group of nothing", { at: { csv: 1, group: 2 } }, "r", LINES, /belongs/],
    ["a match without group", { at: { match: "x" } }, "r", LINES, /no group 1/],
    ["a broken path", { at: { json: "[" } }, "r", LINES, /no path/],
    ["an angle without field", { at: { match: "(x)" }, type: "angle" }, "r", LINES, /two fields/],
    ["bytes without place", { at: { csv: 1 }, type: "uint8" }, "r", LINES, /needs 'at\.offset'/],
    ["a place without bytes", { at: { offset: 1 }, type: "number" }, "r", LINES, /only numbers of bytes/],
    ["too many bits", { at: { offset: 1 }, type: "uint8", bits: { at: 8 } }, "r", LINES, /only 8 bits/],
    ["a write without value", { write: { request: { text: "Z" } } }, "w", LINES, /no \{value\}/],
    [
      "a word that is not hex",
      { write: { request: { hex: "01 {value}" }, map: new Map([["true", "on"]]) } },
      "w",
      LINES,
      /'on' is not hexadecimal/,
    ],
  ])("of a point with %s", (_, point, access, protocol, complaint) => {
    expectProblem(pointProblem(point, { protocol }, access), complaint);
  });

  it("of a station without what requests need", () => {
    const points = [serialPoint("p", { write: { request: { text: "{bank} {value}" } } }, "w")];
    expect(stationProblem(new Map(), points, { protocol: TWO })).toBe(
      "the profile's requests need unit, bank, e.g. address: { unit: 1 }",
    );
    expect(
      stationProblem(
        new Map([
          ["unit", "1"],
          ["bank", "2"],
        ]),
        points,
        { protocol: TWO },
      ),
    ).toBeUndefined();
  });
});
