import { describe, expect, it } from "vitest";
import { readAtc1441, readPvvx } from "../../../adapters/ble/atc.js";
import { readMibeacon } from "../../../adapters/ble/mibeacon.js";
import type { Packet } from "../../../adapters/ble/packet.js";
import { fromHex } from "../../../src/base/bytes.js";
import type { Scalar } from "../../../src/field/reading.js";

function values(packet: Packet): Record<string, Scalar> {
  if (packet.state !== "read") throw new Error(JSON.stringify(packet));
  return Object.fromEntries(packet.values.map(({ object, value }) => [object, value]));
}

/** Packets of real devices, as the projects that decode them too have them in their tests. */
const MIBEACONS: readonly (readonly [hex: string, key: string, values: Record<string, Scalar>])[] = [
  ["5020AA01DA219335342D580D1004FE004802", "", { temperature: 25.4, humidity: 58.4 }],
  ["50305B05034C94B438C1A40D10041001EA01", "", { temperature: 27.2, humidity: 49 }],
  ["7120980012F34F6B8D7CC40D041002C400", "", { temperature: 19.6 }],
  ["71209800687A3E6A8D7CC40D0910025702", "", { conductivity: 599 }],
  ["71205D01015D01008D7CC40D081001400910025702", "", { moisture: 64, conductivity: 599 }],
  ["5858480B685F12342D585A0B1841E2AA000E00A4964FB5", "814aac74c4f17b6c1581e1ab87816b99", { humidity: 59.6 }],
  ["58586F0607892012342D585F176DD54F0200002FA453FA", "a3bfe9853dd85a620debe3620caaa351", { temperature: 22.6 }],
  ["58585B0550F4830238C1A495EF58763C26000097E2ABB5", "e9ea895fac7cca6d30532432a516f3a8", { humidity: 46.7 }],
];

describe("MiBeacon", () => {
  it.each(MIBEACONS)("reads %s", (hex, key, expected) => {
    const context = { address: new Uint8Array(6), ...(key === "" ? {} : { key: fromHex(key) }) };
    expect(values(readMibeacon(fromHex(hex), context))).toEqual(expected);
  });

  it("takes the address that was heard where the packet has none", () => {
    const context = { address: fromHex("A4C138801507"), key: fromHex("4d8f1373fb4d3bab557d0ebd1c78f8c4") };
    const { temperature } = values(readMibeacon(fromHex("4859B5553A8699BDA053448F1200005B046D6A"), context));
    expect(temperature).toBeCloseTo(25.2, 5);
  });

  it("passes over packets without data, and says what it cannot read", () => {
    const address = new Uint8Array(6);
    expect(readMibeacon(fromHex("30585B0502483CD438C1A408"), { address })).toEqual({ state: "foreign" });
    expect(readMibeacon(fromHex("3058"), { address })).toEqual({ state: "foreign" });
    const sealed = fromHex("58585B0550F4830238C1A495EF58763C26000097E2ABB5");
    expect(readMibeacon(sealed, { address })).toMatchObject({ authentication: "missing" });
    expect(readMibeacon(sealed, { address, key: new Uint8Array(16) })).toMatchObject({ authentication: "failed" });
    const old = fromHex("5830B603D28B98C54124F8C3491476757E00000099");
    expect(readMibeacon(old, { address })).toMatchObject({ reason: "encryption of MiBeacon version 3 is not known" });
    expect(readMibeacon(fromHex("7120980012F34F6B8D7CC40D041004C400"), { address })).toMatchObject({
      remark: "the packet ends in the middle of an object",
    });
  });
});

describe("the firmwares of pvvx and atc1441", () => {
  const address = fromHex("A4C1388D18B2");

  it("are read plain", () => {
    expect(values(readPvvx(fromHex("F4830238C1A4A9066911B60B58F70D"), { address }))).toEqual({
      temperature: 17.05,
      humidity: 44.57,
      voltage: 2.998,
      battery: 88,
      reed: 1,
      trigger: 0,
    });
    expect(readPvvx(fromHex("F4830238C1A4A9066911B60B58F70D"), { address })).toMatchObject({ sequence: 247 });
    expect(values(readAtc1441(fromHex("A4C1380283F400A22F5F0BF819"), { address }))).toEqual({
      temperature: 16.2,
      humidity: 47,
      battery: 95,
      voltage: 3.064,
    });
  });

  it("are read encrypted", () => {
    const key = fromHex("b9ea895fac7eea6d30532432a516f3a3");
    expect(values(readPvvx(fromHex("11D603FBFA7B6DFB1E26FD"), { address, key }))).toMatchObject({
      temperature: 23.45,
      humidity: 41.73,
      battery: 61,
    });
    const other = { address: fromHex("A4C138AABBCC"), key: fromHex("aa".repeat(16)) };
    expect(values(readPvvx(fromHex("BD86C53FFAB900C1515859"), other))).toMatchObject({ temperature: 19 });
    expect(values(readAtc1441(fromHex("BDE9B75DB856F303"), other))).toMatchObject({
      temperature: 19,
      humidity: 25,
      battery: 86,
    });
  });

  it("are told apart, and from what is damaged", () => {
    expect(readPvvx(fromHex("A4C1380283F400A22F5F0BF819"), { address })).toEqual({ state: "foreign" });
    expect(readAtc1441(fromHex("00"), { address })).toEqual({ state: "foreign" });
    expect(readPvvx(fromHex("11D603FBFA7B6DFB1E26FD"), { address })).toMatchObject({ authentication: "missing" });
    const key = new Uint8Array(16);
    expect(readPvvx(fromHex("11D603FBFA7B6DFB1E26FD"), { address, key })).toMatchObject({ authentication: "failed" });
    expect(readPvvx(fromHex("F4830238C1A4A9066911B60B58F70D"), { address, key })).toMatchObject({
      authentication: "failed",
    });
  });
});
