import { beforeEach, describe, expect, it } from "vitest";
import type { FaultQuality, Reading, Scalar } from "../../src/field/reading.js";
import { Derivation, derives } from "../../src/mapping/derivation.js";
import { goodProfile } from "./read-profile.js";

const HEAD = "profile: device\ntitle: A device\nadapter: fake\nobjects: []\npoints:\n";

let absents: string[][];
let counted: string[];
beforeEach(() => {
  absents = [];
  counted = [];
});

function derivation(points: string): Derivation {
  return new Derivation({
    profile: goodProfile(HEAD + points.replace(/^ {4}/gm, "  ")),
    onAbsent: (names) => absents.push([...names]),
    onCounter: (...event) => counted.push(event.join(" ")),
  });
}

function good(point: string, value: Scalar, atMs = 1000): Reading {
  return { point, atMs, quality: "good", value };
}

function bad(point: string, quality: FaultQuality, reason = "test"): Reading {
  return { point, atMs: 2000, quality, reason };
}

/** What comes of readings, as `point value` or `point quality: reason`. */
function told(device: Derivation, ...readings: readonly Reading[]): string[] {
  return device
    .accept(readings)
    .map((reading) =>
      "reason" in reading
        ? `${reading.point} ${reading.quality}: ${reading.reason}`
        : `${reading.point} ${String(reading.value)}`,
    );
}

describe("a factor that the device tells", () => {
  const POWER = `
    power: { at: { register: 14 }, unit: W, scaleFrom: power_SF, invalid: [-32768] }
    power_SF: { at: { register: 15 }, invalid: [-32768] }
`;

  it.each<[number, number, number]>([
    [1234, -1, 123.4],
    [1234, 0, 1234],
    [1234, 2, 123_400],
    [235, -3, 0.235],
  ])("%i with the exponent %i is %d", (raw, exponent, value) => {
    expect(told(derivation(POWER), good("power", raw), good("power_SF", exponent))).toEqual([
      `power ${value}`,
      `power_SF ${exponent}`,
    ]);
  });

  it("holds a value back until its factor comes, and gives it with the time it was read", () => {
    const device = derivation(POWER);
    expect(told(device, good("power", 1234, 500))).toEqual(["power invalid: its factor 'power_SF' is not known yet"]);
    expect(device.accept([good("power_SF", -1, 900)])).toContainEqual(good("power", 123.4, 500));
    expect(told(device, good("power_SF", -1, 950)), "once only").toEqual(["power_SF -1"]);
  });

  it("gives no value while the factor has none", () => {
    const device = derivation(POWER);
    told(device, good("power_SF", -1));
    expect(told(device, good("power_SF", -32768), good("power", 7))).toContain(
      "power invalid: its factor 'power_SF' has no value: the device reports no value (-32768)",
    );
    expect(told(device, bad("power_SF", "timeout"), good("power", 7))).toContain(
      "power invalid: its factor 'power_SF' has no value: test",
    );
    expect(told(device, good("power_SF", 99), good("power", 7))).toContain(
      "power invalid: its factor 'power_SF' is 99, of which nothing is known",
    );
    expect(told(device, good("power_SF", -2), good("power", 7))).toContain("power 0.07");
  });

  it("leaves what the device says of the value itself", () => {
    const device = derivation(POWER);
    told(device, good("power_SF", -1));
    expect(told(device, good("power", -32768))).toEqual(["power invalid: the device reports no value (-32768)"]);
    expect(told(device, bad("power", "timeout"))).toEqual(["power timeout: test"]);
  });

  it("never brings a value of before a new factor again", () => {
    const device = derivation(POWER);
    told(device, good("power_SF", -1), good("power", 10));
    expect(told(device, good("power_SF", 3))).toEqual(["power_SF 3"]);
    expect(told(device, good("power", 10))).toEqual(["power 10000"]);
  });

  it("is read in the class of what it scales, unless the file says otherwise", () => {
    const classOf = (text: string) => goodProfile(HEAD + text).points.get("power_SF")?.point.pollClass;
    expect(classOf(POWER.replace("unit: W", "unit: W, every: fast"))).toBe("fast");
    expect(classOf(POWER.replace("register: 15 }", "register: 15 }, every: once"))).toBe("once");
  });

  it("may be a table, and the unit may be told as well", () => {
    const device = derivation(`
    unit: { at: { register: 2 } }
    decimals: { at: { register: 3 } }
    pressure: { at: { register: 4 }, unit: Pa, scaleFrom: { point: decimals, map: { 0: 1, 1: 0.1, 2: 0.01 } }, unitFrom: { point: unit, map: { 1: kPa, 3: bar, 6: psi } } }
`);
    expect(told(device, good("unit", 3), good("decimals", 2), good("pressure", 150))).toContain("pressure 150000");
    expect(told(device, good("unit", 1), good("pressure", 150))).toContain("pressure 1500");
    expect(told(device, good("unit", 5), good("pressure", 150))).toContain(
      "pressure invalid: its factor 'unit' is 5, of which nothing is known",
    );
    expect(told(device, good("unit", 1), good("decimals", 3), good("pressure", 150))).toContain(
      "pressure invalid: its factor 'decimals' is 3, of which nothing is known",
    );
  });

  it("counts for writes, too", () => {
    const device = derivation(POWER.replace("unit: W", "unit: W, access: rw"));
    const point = goodProfile(HEAD + POWER).points.get("power");
    if (point === undefined) throw new Error("no point");
    expect(() => device.transformOf(point)).toThrow(/not known yet/);
    told(device, good("power_SF", -1));
    expect(device.transformOf(point).scale).toBe(0.1);
  });
});

describe("a derived point", () => {
  const NET = `
    importEnergy: { at: { register: 0 }, scale: 1000, unit: Wh }
    exportEnergy: { at: { register: 2 }, scale: 1000, unit: Wh }
    net: { expr: importEnergy - exportEnergy, unit: Wh, valid: [0, 1000000] }
    share: { expr: "100 * exportEnergy / max(net, 1)", unit: "%", decimals: 1 }
`;

  it("follows when one of its inputs arrives, after those it needs itself, from scaled values", () => {
    const device = derivation(NET);
    expect(told(device, good("importEnergy", 5))).toEqual([
      "importEnergy 5",
      "net never-read: exportEnergy: nothing has come yet",
      "share never-read: exportEnergy: nothing has come yet",
    ]);
    expect(told(device, good("exportEnergy", 2))).toEqual(["exportEnergy 2", "net 3000", "share 66.7"]);
    expect(told(device, good("importEnergy", 6), good("exportEnergy", 3))).toEqual([
      "importEnergy 6",
      "exportEnergy 3",
      "net 3000",
      "share 100",
    ]);
  });

  it("is as new as the newest input and as bad as the worst", () => {
    const device = derivation(NET);
    device.accept([good("importEnergy", 5, 100)]);
    expect(device.accept([good("exportEnergy", 2, 300)])).toContainEqual(good("net", 3000, 300));
    expect(told(device, bad("importEnergy", "stale"), bad("exportEnergy", "timeout", "no answer"))).toContain(
      "net timeout: exportEnergy: no answer",
    );
    expect(
      device.accept([{ point: "importEnergy", atMs: 400, quality: "manual", value: 4000 }, good("exportEnergy", 2)]),
    ).toContainEqual({ point: "net", atMs: 1000, quality: "manual", value: 2000 });
    told(device, good("importEnergy", 4));
  });

  it("may be out of range, or no number", () => {
    const device = derivation(NET);
    expect(told(device, good("importEnergy", 1), good("exportEnergy", 2))).toContain(
      "net out-of-range: -1000 is not within 0 to 1000000",
    );
    const ratio = derivation("    a: { at: { register: 0 } }\n    r: { expr: 1 / a }\n    f: { expr: a & 1 }\n");
    expect(told(ratio, good("a", 0))).toEqual(["a 0", "r invalid: '1 / a' gives no number", "f 0"]);
    expect(told(ratio, good("a", 0.5))).toContain("f invalid: 'a & 1': 0.5 is no whole number, it has no bits");
    expect(told(ratio, good("a", new Uint8Array(1)))[1]).toMatch(/^r invalid: .*bytes/);
  });

  it.each<[string, string, readonly [string, number][], number]>([
    [
      "a power factor in four quadrants (Schneider)",
      "raw > 1 ? 2 - raw : raw < -1 ? -2 - raw : raw",
      [["raw", 1.25]],
      0.75,
    ],
    ["the same, consuming capacitive", "raw > 1 ? 2 - raw : raw < -1 ? -2 - raw : raw", [["raw", -1.1]], -0.9],
    [
      "a level by ultrasound in propane (Mopeka)",
      "raw * (0.573045 - 0.002822 * t - 0.00000535 * pow(t, 2))",
      [
        ["raw", 1000],
        ["t", 60],
      ],
      384.465,
    ],
    [
      "a share of the range (STS DTM)",
      "low + (high - low) * raw / 10000",
      [
        ["raw", 2500],
        ["low", -1],
        ["high", 3],
      ],
      0,
    ],
    [
      "a sign of its own (JSY)",
      "sign & 1 ? -1 * raw : raw",
      [
        ["raw", 5],
        ["sign", 1],
      ],
      -5,
    ],
  ])("can be %s", (_, expr, inputs, value) => {
    const points = inputs.map(([name], index) => `    ${name}: { at: { register: ${index} } }\n`).join("");
    const device = derivation(`${points}    result: { expr: "${expr}", decimals: 6 }\n`);
    expect(told(device, ...inputs.map(([name, raw]) => good(name, raw)))).toContain(`result ${value}`);
  });
});

describe("a counter", () => {
  it("grows on when it rolls over, which is told", () => {
    const device = derivation("    energy: { at: { register: 0 }, kind: counter, rollover: 2^16, scale: 10 }\n");
    expect(told(device, good("energy", 65_530))).toEqual(["energy 655300"]);
    expect(told(device, good("energy", 4))).toEqual(["energy 655400"]);
    expect(told(device, good("energy", 65_000))).toEqual(["energy 1305360"]);
    expect(counted).toEqual(["energy rollover 65530 4"]);
  });

  it.each<[string, string]>([
    ["follow", "energy 3"],
    ["continue", "energy 1003"],
  ])("of a device that began anew: %s", (onReset, after) => {
    const device = derivation(`    energy: { at: { register: 0 }, kind: counter, onReset: ${onReset} }\n`);
    told(device, good("energy", 1000));
    expect(told(device, good("energy", 3))).toEqual([after]);
    expect(counted).toEqual(["energy reset 1000 3"]);
  });

  it("takes a small step back for a correction", () => {
    const device = derivation("    energy: { at: { register: 0 }, kind: counter, onReset: continue }\n");
    told(device, good("energy", 1000));
    expect(told(device, good("energy", 999))).toEqual(["energy 999"]);
    expect(counted).toEqual([]);
  });

  it("does not count what is no value", () => {
    const device = derivation(
      "    energy: { at: { register: 0 }, kind: counter, rollover: 2^32, invalid: [4294967295] }\n",
    );
    told(device, good("energy", 4_000_000_000));
    expect(told(device, good("energy", 4_294_967_295))[0]).toMatch(/^energy invalid/);
    expect(told(device, bad("energy", "timeout"))).toEqual(["energy timeout: test"]);
    expect(told(device, good("energy", 10))).toEqual(["energy 4294967306"]);
  });
});

describe("a counter's value that cannot be", () => {
  it("leaves the total alone, which goes on from before", () => {
    const device = derivation(
      "    energy: { at: { register: 0 }, kind: counter, rollover: 2^16, onReset: continue, valid: [0, 50000] }\n",
    );
    told(device, good("energy", 1000));
    expect(told(device, good("energy", 60_000))).toEqual(["energy out-of-range: 60000 is not within 0 to 50000"]);
    expect(told(device, good("energy", 1001))).toEqual(["energy 1001"]);
    expect(counted).toEqual([]);
  });
});

describe("a point that not every device has", () => {
  const THD = `
    firmware: { at: { register: 0 }, every: once, scale: 0.1 }
    thd: { at: { register: 9 }, when: "firmware >= 2.1" }
    twice: { expr: 2 * thd }
`;

  it("is absent until it is known to be there", () => {
    const device = derivation(THD);
    expect([...device.absent]).toEqual(["thd"]);
    expect(told(device, good("thd", 5))).toEqual([]);
    expect(told(device, good("firmware", 21))).toEqual(["firmware 21"]);
    expect(absents).toEqual([[]]);
    expect(told(device, good("thd", 5))).toEqual(["thd 5", "twice 10"]);
  });

  it("says why it is not there, and what needs it says so too", () => {
    const device = derivation(THD);
    const why = "not there, since 'firmware >= 2.1' does not hold";
    expect(told(device, good("firmware", 20))).toEqual([
      `thd unsupported: ${why}`,
      "firmware 20",
      `twice unsupported: thd: ${why}`,
    ]);
    expect(told(device, good("thd", 5))).toEqual([]);
    expect(absents).toEqual([["thd"]]);
    told(device, bad("firmware", "timeout"));
    expect(absents, "what is not heard changes nothing").toHaveLength(1);
  });

  it("comes when the device is another one after a reconnect", () => {
    const device = derivation(THD);
    told(device, good("firmware", 20));
    told(device, good("firmware", 22));
    expect(absents).toEqual([["thd"], []]);
  });

  it("is reckoned when it turns out to be there, from what came before", () => {
    const device = derivation(`
    rated: { at: { register: 1 }, every: once }
    firmware: { at: { register: 0 }, every: once }
    limit: { expr: 2 * rated, when: firmware > 2 }
`);
    expect(told(device, good("rated", 5))).toEqual(["rated 5"]);
    expect(told(device, good("firmware", 3))).toEqual(["firmware 3", "limit 10"]);
  });

  it("is there from the beginning when only parameters decide", () => {
    const device = derivation(`
    phase2: { at: { register: 1 }, when: 3 == 3 }
    phase3: { at: { register: 2 }, when: 1 == 3 }
    hot: { at: { register: 3 }, when: true }
`);
    expect([...device.absent]).toEqual(["phase3"]);
    expect(told(device, good("phase2", 5), good("phase3", 6), good("hot", 7))).toEqual(["phase2 5", "hot 7"]);
  });
});

it("nothing stands between readings and resources of a profile without all of this", () => {
  expect(derives(goodProfile(`${HEAD}  a: { at: { register: 0 }, scale: 0.1, kind: counter }\n`))).toBe(false);
});
