import { describe, expect, it } from "vitest";
import { interpretRegisters, isPlausible } from "../../../adapters/modbus/interpretations.js";
import { requestOf } from "../../../adapters/modbus/read.js";
import { idsOf, linkOf, settingsOf } from "../../../adapters/modbus/tool-options.js";
import { fromHex } from "../../../src/base/bytes.js";

describe("what registers could mean", () => {
  // 230.1 V in a row of the ways in which meters send it.
  const measured: readonly (readonly [string, string, readonly string[]])[] = [
    ["float32 ABCD", "4366199a", ["float32 ABCD 230.1"]],
    ["float32 CDAB", "199a4366", ["float32 CDAB 230.1"]],
    ["float32 BADC", "66439a19", ["float32 BADC 230.1"]],
    ["float32 DCBA", "9a196643", ["float32 DCBA 230.1"]],
    ["a scaled word", "08fd", ["uint16 2301"]],
    ["a scaled long", "000008fd", ["uint32 ABCD 2301", "uint16 2301"]],
    ["a scaled long, low word first", "08fd0000", ["uint16 2301", "uint32 CDAB 2301"]],
    ["a negative word", "ff38", ["int16 -200"]],
    ["text", "5344 4d36 3330 0000", ["string of 4 SDM630"]],
  ];
  it.each(measured)("marks %s", (_, hex, expected) => {
    const marked = interpretRegisters(fromHex(hex), 0).filter((row) => row.isPlausible);
    expect(marked.map(({ as, value }) => `${as} ${value}`)).toEqual(expect.arrayContaining([...expected]));
  });

  it("does not mark the halves of a plausible float32", () => {
    const marked = interpretRegisters(fromHex("4366199a"), 0).filter((row) => row.isPlausible);
    expect(marked.map(({ as }) => as)).toEqual(["float32 ABCD"]);
  });

  it("shows every meaning of two registers", () => {
    const rows = interpretRegisters(fromHex("4366199a"), 0x5b00);
    expect(rows.map(({ as }) => as)).toEqual([
      ...["uint16", "uint32 ABCD", "float32 ABCD", "uint32 CDAB", "float32 CDAB"],
      ...["uint32 BADC", "float32 BADC", "uint32 DCBA", "int32 DCBA", "float32 DCBA", "bits", "uint16", "bits"],
    ]);
    expect(rows[0]).toMatchObject({ register: 0x5b00, value: "17254", isPlausible: false });
    expect(rows.at(-1)).toMatchObject({ register: 0x5b01, value: "0001 1001 1001 1010" });
  });

  it.each([
    [230.1, "float32", true],
    [-0.05, "float32", true],
    [1.2e-38, "float32", false],
    [3e12, "float32", false],
    [Number.NaN, "float32", false],
    [0, "float32", false],
    [17254, "uint16", false],
    [0x7fff, "int16", false],
    [0x43660000, "uint32", false],
    [65536 * 3, "uint32", false],
    [123_456, "uint32", true],
    [10n ** 17n, "uint64", false],
    [-5, "int32", true],
  ] as const)("thinks of %s as %s: %s", (value, type, plausible) => {
    expect(isPlausible(value, { type })).toBe(plausible);
  });
});

describe("what registers of four bytes could mean", () => {
  it("is a number of 32 or 64 bits at each of them", () => {
    const rows = interpretRegisters(fromHex("00241ef9 01000000".replace(" ", "")), 72, 4);
    expect(rows.filter(({ as }) => as === "uint32 ABCD" || as === "bits")).toEqual([
      { register: 72, as: "uint32 ABCD", value: "2367225", isPlausible: true },
      { register: 72, as: "bits", value: "0000 0000 0010 0100 0001 1110 1111 1001", isPlausible: false },
      { register: 73, as: "uint32 ABCD", value: "16777216", isPlausible: false },
      { register: 73, as: "bits", value: "0000 0001 0000 0000 0000 0000 0000 0000", isPlausible: false },
    ]);
    expect(new Set(rows.map(({ as }) => as.replace(/ .*/, "")))).toEqual(
      new Set(["uint32", "int32", "float32", "uint64", "float64", "bits"]),
    );
  });
});

describe("the arguments of the tools", () => {
  const args = (values: Record<string, string | boolean>, positionals: string[] = []) => ({ values, positionals });

  it("name a line", () => {
    expect(linkOf(args({ port: "/dev/ttyUSB0" }))).toEqual({ transport: "rtu", port: "/dev/ttyUSB0" });
    expect(linkOf(args({ host: "plc", port: "1502" }))).toEqual({ transport: "tcp", host: "plc", port: 1502 });
    expect(linkOf(args({ host: "plc", transport: "udp", timeout: "300" }))).toEqual({
      transport: "udp",
      host: "plc",
      responseTimeout: 300,
    });
  });

  it("name its settings, likely ones first unless said", () => {
    const serial = { transport: "rtu", port: "p" } as const;
    expect(settingsOf(args({}), serial)).toHaveLength(8);
    expect(settingsOf(args({}), serial)[0]).toEqual({ baudRate: 9600, parity: "none" });
    expect(settingsOf(args({ baud: "1200,2400", parity: "E" }), serial)).toEqual([
      { baudRate: 1200, parity: "even" },
      { baudRate: 2400, parity: "even" },
    ]);
    expect(settingsOf(args({ parity: "even" }), serial)).toHaveLength(2);
    expect(settingsOf(args({}), { transport: "tcp", host: "h" })).toEqual([]);
  });

  it("name units and registers", () => {
    expect(idsOf("1,5, 7-9,5")).toEqual([1, 5, 7, 8, 9]);
    expect(requestOf(args({ unit: "7", table: "input" }, ["0x5B00", "4"]))).toEqual({
      unit: 7,
      table: "input",
      register: 0x5b00,
      count: 4,
      registerBytes: 2,
    });
    expect(requestOf(args({ "register-bytes": "4" }, ["72", "14"]))).toMatchObject({ count: 14, registerBytes: 4 });
    expect(requestOf(args({}, ["10"]))).toMatchObject({ unit: 1, table: "holding", count: 2 });
  });

  it.each<[string, () => unknown]>([
    ["no line", () => linkOf(args({}))],
    ["an unknown transport", () => linkOf(args({ host: "h", transport: "tcpp" }))],
    ["a port that is no number", () => linkOf(args({ host: "h", port: "/dev/ttyS0" }))],
    ["a serial transport with a host", () => linkOf(args({ host: "h", transport: "rtu" }))],
    ["an unknown parity", () => settingsOf(args({ parity: "mark" }), { transport: "rtu" })],
    ["units that run backwards", () => idsOf("9-7")],
    ["a unit beyond 255", () => idsOf("300")],
    ["no register", () => requestOf(args({}))],
    ["too many registers", () => requestOf(args({}, ["0", "126"]))],
    ["too many registers of four bytes", () => requestOf(args({ "register-bytes": "4" }, ["0", "63"]))],
    ["registers of three bytes", () => requestOf(args({ "register-bytes": "3" }, ["0"]))],
    ["registers beyond the last", () => requestOf(args({}, ["65535", "2"]))],
    ["an unknown table", () => requestOf(args({ table: "registers" }, ["0"]))],
    ["a word too many", () => requestOf(args({}, ["0", "1", "2"]))],
  ])("are refused: %s", (_, act) => {
    expect(act).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
