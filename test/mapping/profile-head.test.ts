import { describe, expect, it } from "vitest";
import type { Scalar } from "../../src/field/reading.js";
import { profileCandidate } from "../../src/mapping/candidate.js";
import { goodProfile, readText } from "./read-profile.js";

const METER = `profile: meter
title: A meter
adapter: modbus
addressBase: 1
timing: { responseTimeout: 2s, requestGap: 20ms, afterConnect: 1s, silence: 5m }
limits: { maxRegisters: 60, maxBits: 16, maxGap: 4, never: [[300, 309]], fourBytes: [[5001, 5999]] }
setup:
  - { at: { table: holding, register: 5 }, type: uint16, value: 1 }
probe:
  - { at: { table: holding, register: 12 }, type: uint16, equals: 71 }
  - { at: { table: input, register: 1 }, type: float32, within: [80, 300] }
points:
  voltage: { at: { table: input, register: 1 }, type: uint16, scale: 0.1, unit: V, invalid: [65535] }
objects:
  - object: 3316
    resources: { 5700: voltage }
verify: { voltage: [180, 260] }
`;

describe("the head of a profile", () => {
  it("says of the device what the adapter needs, with registers as on the wire", () => {
    expect(goodProfile(METER).traits).toEqual({
      addressBase: 1,
      responseTimeoutMs: 2000,
      requestGapMs: 20,
      afterConnectMs: 1000,
      silenceMs: 300_000,
      maxRegisters: 60,
      maxBits: 16,
      maxGap: 4,
      never: [[299, 308]],
      fourBytes: [[5000, 5998]],
      setup: [
        {
          point: {
            name: "setup[0]",
            access: "w",
            pollClass: "once",
            address: { at: { table: "holding", register: 5 }, type: "uint16" },
          },
          value: 1,
        },
      ],
    });
  });

  it.each<[string, string, string, string]>([
    [
      "a value that the register cannot hold",
      "value: 1",
      "value: 70000",
      "m.yaml:8:5 setup[0].value: 70000 does not fit uint16",
    ],
    ["a setup without a value", ", value: 1", "", "m.yaml:8:5 setup[0]: 'value' is missing"],
    [
      "a point that makes no sense",
      "uint16, value",
      "string, value",
      "m.yaml:8:5 setup[0]: a string needs 'length' (in registers)",
    ],
    [
      "a probe that expects nothing",
      ", equals: 71",
      "",
      "m.yaml:10:5 probe[0]: says nothing of the value (give one of equals: VALUE, within: [min, max])",
    ],
    [
      "a misspelt key of a probe",
      "equals: 71",
      "equal: 71",
      "m.yaml:10:59 probe[0].equal: unknown key (did you mean 'equals'?)",
    ],
    [
      "a forbidden range the wrong way round",
      "[[300, 309]]",
      "[[309, 300]]",
      "m.yaml:6:61 limits.never[0]: the lower bound 309 is above the upper bound 300",
    ],
  ])("%s is named with its place", (_, good, bad, problem) => {
    expect(readText(METER.replace(good, bad)).problems).toContain(problem);
  });
});

describe("a profile as a tool sees it that looks for devices", () => {
  const candidate = profileCandidate(goodProfile(METER));

  it("has its points and its traits", () => {
    expect(candidate).toMatchObject({ name: "meter", title: "A meter", traits: { maxRegisters: 60 } });
    expect(candidate.points.map(({ name }) => name)).toEqual(["voltage"]);
  });

  it.each<[number, Scalar, boolean]>([
    [0, 71, true],
    [0, 71n, true],
    [0, 72, false],
    [0, "71", false],
    [1, 230.5, true],
    [1, 301, false],
    [1, Number.NaN, false],
    [1, true, false],
  ])("probe %i with %s: %s", (index, value, holds) => {
    expect(candidate.probe[index]?.holds(value)).toBe(holds);
  });

  it("expects nothing of values that mean nothing without a factor, or are reckoned", () => {
    const factor = "factor: { at: { table: input, register: 2 }, type: int16 }";
    const text = METER.replace("scale: 0.1", "scaleFrom: factor").replace("objects:", `  ${factor}\nobjects:`);
    expect(profileCandidate(goodProfile(text)).plausible).toEqual([]);
  });

  it("neither looks for nor expects what only some devices of the type have", () => {
    const firmware = "firmware: { at: { table: input, register: 2 }, type: int16, every: once }";
    const text = METER.replace("scale: 0.1", "scale: 0.1, when: firmware > 2").replace(
      "objects:",
      `  ${firmware}\nobjects:`,
    );
    const { points, plausible } = profileCandidate(goodProfile(text));
    expect(points.map(({ name }) => name)).toEqual(["firmware"]);
    expect(plausible).toEqual([]);
  });

  it.each<[Scalar, boolean]>([
    [2305, true],
    [230, false],
    [65535, false],
    ["2305", false],
  ])("the raw value %s lies in the range of verify after scaling: %s", (raw, holds) => {
    expect(candidate.plausible[0]?.holds(raw)).toBe(holds);
  });
});
