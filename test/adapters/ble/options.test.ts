import { describe, expect, it } from "vitest";
import bleAdapter, { bleAdapter as makeAdapter } from "../../../adapters/ble/index.js";
import {
  type BlePoint,
  kindOf,
  linkSchema,
  pointProblem,
  pointSchema,
  stationSchema,
} from "../../../adapters/ble/options.js";
import { Problems, type Schema } from "../../../src/base/schema.js";
import { parseSource } from "../../../src/base/source.js";
import { point, station, uuid } from "./points.js";

function read<T>(schema: Schema<T>, text: string): T | readonly string[] {
  const { root } = parseSource(text, "x.yaml");
  const problems = new Problems();
  const value = root === undefined ? undefined : schema.read(root, "", problems);
  return value === undefined || problems.list.length > 0 ? problems.list.map(({ what }) => what) : value;
}

describe("the address of a station", () => {
  it("is written in any case", () => {
    expect(read(stationSchema, "address: a4:c1:38:00:11:2f")).toEqual({ address: "A4:C1:38:00:11:2F" });
    const key = "$" + "{credential:attic}";
    expect(read(stationSchema, `{ address: "A4:C1:38:00:11:2F", key: "${key}" }`)).toMatchObject({ key });
  });

  it.each(["A4:C1:38:00:11", "A4-C1-38-00-11-2F", "G4:C1:38:00:11:2F"])("is not %s", (text) => {
    expect(read(stationSchema, `address: "${text}"`)).toEqual(["expected an address such as A4:C1:38:00:11:22"]);
  });
});

describe("a link", () => {
  it("has a controller by name or by address", () => {
    expect(read(linkSchema, "{ controller: hci1, connectTimeout: 20s }")).toEqual({
      controller: "hci1",
      connectTimeout: 20_000,
    });
    expect(read(linkSchema, "{ controller: bluetooth }")).toEqual(["expected hci0, hci1 … or an address"]);
    expect(bleAdapter.medium({})).toBe("hci0");
    const bus = "unix:path=/run/other/bus";
    expect(read(linkSchema, `{ bus: "${bus}" }`)).toEqual({ bus });
    expect(read(linkSchema, "{ bus: /run/other/bus }")).toEqual([
      "expected the address of a Unix socket such as unix:path=/run/other/bus",
    ]);
    expect(bleAdapter.medium({ bus })).toBe(`hci0 on ${bus}`);
    expect(bleAdapter.line?.({ controller: "hci1" }, "air")).toEqual({ address: "hci1" });
  });
});

describe("a point", () => {
  it("has UUIDs in full, however they are written", () => {
    const full = uuid("fcd2");
    for (const text of ["0xFCD2", `"${full.toUpperCase()}"`]) {
      expect(read(pointSchema, `{ at: { service: ${text} }, type: uint8 }`)).toMatchObject({ at: { service: full } });
    }
  });

  const problems: readonly (readonly [what: BlePoint, problem: string])[] = [
    [{ at: {} }, "'at' needs exactly one of"],
    [{ at: { manufacturer: 1, radio: "rssi" } }, "'at' needs exactly one of"],
    [{ at: { manufacturer: 1 } }, "'manufacturer' needs 'type'"],
    [{ at: { bthome: "temperature", byte: 1 } }, "'byte' does not go with 'bthome'"],
    [{ at: { manufacturer: 1, mode: "notify" }, type: "uint8" }, "'mode' does not go with 'manufacturer'"],
    [{ at: { bthome: 0xfe } }, "'bthome' has no object 0xfe that is known here"],
    [{ at: { bthome: "temperature" }, type: "uint8" }, "'bthome' knows the type itself"],
    [{ at: { manufacturer: 1 }, type: "uint8", write: "with-response" }, "'write' is for characteristics (gatt) only"],
    [{ at: { manufacturer: 1 }, type: "uint8", bits: { at: 7, width: 2 } }, "uint8 has only 8 bits"],
    [{ at: { manufacturer: 1 }, type: "bool", bits: { at: 0 } }, "a bool has no 'bits'"],
    [{ at: { manufacturer: 1 }, type: "uint8", sign: "magnitude" }, "'sign: magnitude' needs a signed type"],
    [{ at: { manufacturer: 1, length: 4, byte: 3 }, type: "uint16" }, "ends beyond the 'length' of 4"],
    [{ at: { manufacturer: 1 }, type: "string", order: "big" }, "a string has no 'order'"],
  ];
  it.each(problems)("may not be %j", (what, problem) => {
    expect(pointProblem(what)).toContain(problem);
  });

  it("is a whole characteristic where it is written", () => {
    const gatt = { service: uuid("181a"), characteristic: uuid("2a6e") };
    const part: BlePoint = { at: { gatt, byte: 1 }, type: "uint8" };
    const bits: BlePoint = { at: { gatt }, type: "uint8", bits: { at: 0 } };
    for (const address of [part, bits]) {
      expect(pointProblem(address, {}, "r")).toBeUndefined();
      expect(pointProblem(address, {}, "rw")).toContain("is written whole");
    }
    expect(pointProblem({ at: { bthome: "light" } }, {}, "rw")).toBe("only characteristics (gatt) are written");
    expect(pointProblem({ at: { gatt, byte: 0 }, type: "uint8" }, {}, "w")).toBeUndefined();
  });

  const kinds: readonly (readonly [what: BlePoint, kind: string])[] = [
    [{ at: { radio: "rssi" } }, "number"],
    [{ at: { radio: "name" } }, "string"],
    [{ at: { bthome: "door" } }, "boolean"],
    [{ at: { bthome: "button" } }, "string"],
    [{ at: { bthome: 0x54 } }, "bytes"],
    [{ at: { mibeacon: "temperature" } }, "number"],
    [{ at: { manufacturer: 1 }, type: "float32" }, "number"],
    [{ at: { manufacturer: 1 }, type: "bool" }, "boolean"],
  ];
  it.each(kinds)("%j gives a %s", (what, kind) => {
    expect(pointProblem(what)).toBeUndefined();
    expect(kindOf(what)).toBe(kind);
  });
});

describe("the plan", () => {
  it("asks for what is polled, in one exchange, and for nothing that is told", () => {
    const gatt = { service: uuid("181a"), characteristic: uuid("2a6e") };
    const polled = point("polled", { at: { gatt }, type: "int16" });
    const told = point("told", { at: { gatt, mode: "notify" }, type: "int16" });
    const heard = point("heard", { at: { radio: "rssi" } });
    const { plan } = makeAdapter();
    const device = station("A4:C1:38:00:11:2F");
    expect(plan({}, device, [told, heard])).toEqual([]);
    expect(plan({}, device, [polled, told, heard])).toEqual([
      { points: [polled], summary: "1 characteristics of A4:C1:38:00:11:2F", wireMs: 0 },
    ]);
  });
});
