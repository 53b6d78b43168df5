import { describe, expect, it } from "vitest";
import { readBthome } from "../../../adapters/ble/bthome.js";
import type { Packet } from "../../../adapters/ble/packet.js";
import { fromHex } from "../../../src/base/bytes.js";
import type { Scalar } from "../../../src/field/reading.js";

/** The example of bthome.io/encryption. */
const ADDRESS = fromHex("5448E68F80A5");
const KEY = fromHex("231d39c1d7cc1ab1aee224cd096db932");

function read(hex: string, key?: Uint8Array): Packet {
  return readBthome(fromHex(hex), { address: ADDRESS, ...(key === undefined ? {} : { key }) });
}

function values(packet: Packet): (readonly [string, Scalar])[] {
  return packet.state === "read" ? packet.values.map(({ object, value }) => [object, value]) : [];
}

/** Examples of bthome.io/format, without the first byte. */
const OBJECTS: readonly (readonly [hex: string, object: string, value: Scalar])[] = [
  ["0009", "packetId", 9],
  ["0161", "battery", 97],
  ["02CA09", "temperature", 25.06],
  ["02FEFF", "temperature", -0.02],
  ["03BF13", "humidity", 50.55],
  ["04138A01", "pressure", 1008.83],
  ["05138A14", "illuminance", 13460.67],
  ["065E1F", "massKg", 80.3],
  ["073E1D", "massLb", 74.86],
  ["08CA06", "dewPoint", 17.38],
  ["0960", "count", 96],
  ["0A138A14", "energy", 1346.067],
  ["0B021B00", "power", 69.14],
  ["0C020C", "voltage", 3.074],
  ["0D120C", "pm25", 3090],
  ["0E021C", "pm10", 7170],
  ["0F01", "generic", true],
  ["1001", "powerOn", true],
  ["1100", "opening", false],
  ["12E204", "co2", 1250],
  ["133301", "tvoc", 307],
  ["14020C", "moisture", 30.74],
  ["1501", "batteryLow", true],
  ["1601", "batteryCharging", true],
  ["1700", "carbonMonoxide", false],
  ["1801", "cold", true],
  ["1900", "connectivity", false],
  ["1A00", "door", false],
  ["1B01", "garageDoor", true],
  ["1C01", "gasDetected", true],
  ["1D00", "heat", false],
  ["1E01", "light", true],
  ["1F01", "lock", true],
  ["2001", "moistureDetected", true],
  ["2100", "motion", false],
  ["2201", "moving", true],
  ["2301", "occupancy", true],
  ["2400", "plug", false],
  ["2500", "presence", false],
  ["2601", "problem", true],
  ["2701", "running", true],
  ["2800", "safety", false],
  ["2901", "smoke", true],
  ["2A00", "sound", false],
  ["2B00", "tamper", false],
  ["2C01", "vibration", true],
  ["2D01", "window", true],
  ["2E23", "humidity", 35],
  ["2F23", "moisture", 35],
  ["3A01", "button", "press"],
  ["3A80", "button", "holdPress"],
  ["3C0203", "dimmer", 3],
  ["3C0103", "dimmer", -3],
  ["3C0000", "dimmer", 0],
  ["3D0960", "count", 24585],
  ["3E2A2C0960", "count", 1611213866],
  ["3F020C", "rotation", 307.4],
  ["400C00", "distanceMm", 12],
  ["414E00", "distanceM", 7.8],
  ["424E3400", "duration", 13.39],
  ["434E34", "current", 13.39],
  ["444E34", "speed", 133.9],
  ["451101", "temperature", 27.3],
  ["4632", "uvIndex", 5],
  ["478756", "volume", 2215.1],
  ["48DC87", "volumeMl", 34780],
  ["49DC87", "flowRate", 34.78],
  ["4A020C", "voltage", 307.4],
  ["4B138A14", "gas", 1346.067],
  ["4C41018A01", "gas", 25821.505],
  ["4D12138A14", "energy", 344593.17],
  ["4E87562A01", "volume", 19551.879],
  ["4F87562A01", "water", 19551.879],
  ["505D396164", "timestamp", 1684093277],
  ["518756", "acceleration", 22.151],
  ["528756", "gyroscope", 22.151],
  ["530C48656C6C6F20576F726C6421", "text", "Hello World!"],
  ["540C48656C6C6F20576F726C6421", "raw", fromHex("48656C6C6F20576F726C6421")],
  ["5587562A01", "volumeStorage", 19551.879],
  ["56E803", "conductivity", 1000],
  ["57EA", "temperature", -22],
  ["58EA", "temperature", -7.7],
  ["59EA", "count", -22],
  ["5AEAEA", "count", -5398],
  ["5BEA0234EA", "count", -365690134],
  ["5C02FBFFFF", "power", -12.78],
  ["5D02EA", "current", -5.63],
  ["5E9F8C", "direction", 359.99],
  ["5F8756", "precipitation", 2215.1],
  ["F00100", "deviceType", 1],
  ["F100010204", "firmware", "4.2.1.0"],
  ["F2000106", "firmware", "6.1.0"],
];

describe("BTHome version 2", () => {
  it.each(OBJECTS)("reads %s as %s", (hex, object, value) => {
    expect(values(read(`40${hex}`))).toEqual([[object, value]]);
  });

  it("keeps all data of one name, in their order", () => {
    expect(values(read("4002CA0902CF0902CF0803B71803B717015D"))).toEqual([
      ["temperature", 25.06],
      ["temperature", 25.11],
      ["temperature", 22.55],
      ["humidity", 63.27],
      ["humidity", 60.71],
      ["battery", 93],
    ]);
  });

  it("stops at an object that it does not know, and says so", () => {
    const packet = read("40015DFE5D0903B718");
    expect(values(packet)).toEqual([["battery", 93]]);
    expect(packet).toMatchObject({ remark: "object 0xfe is not known, what follows it is left out" });
  });

  it("keeps what came before a break in the middle", () => {
    expect(read("40015D02CA")).toMatchObject({ remark: "the packet ends in the middle of 'temperature'" });
    expect(values(read("4054FF00"))).toEqual([]);
  });

  it("has the packet's number, and passes over an address in it", () => {
    expect(read("400009015D")).toMatchObject({ sequence: 9 });
    expect(values(read("42B2188D38C1A404138A01"))).toEqual([["pressure", 1008.83]]);
  });

  it("refuses other versions", () => {
    expect(read("2002CA09")).toMatchObject({ state: "fault", reason: "BTHome version 1 is not known" });
    expect(read("")).toEqual({ state: "foreign" });
  });

  it("decrypts the example of the standard", () => {
    const packet = read("41E445F3C9962B332211006C7C4519", KEY);
    expect(values(packet)).toEqual([
      ["temperature", 25.06],
      ["humidity", 50.55],
    ]);
    expect(packet).toMatchObject({ counter: 1_122_867 });
    expect(values(read("41A47266C95F730011223378237214", KEY))).toHaveLength(2);
    expect(values(read("43A5808FE64854F196C06FFB4900112233F08ECBDE", KEY))).toHaveLength(2);
  });

  it("says what is wrong with the key", () => {
    const sealed = "41E445F3C9962B332211006C7C4519";
    expect(read(sealed)).toMatchObject({ state: "fault", authentication: "missing" });
    expect(read(sealed, new Uint8Array(16))).toMatchObject({ state: "fault", authentication: "failed" });
    expect(read("4002CA09", KEY)).toMatchObject({ state: "fault", authentication: "failed" });
    expect(read("41332211006C7C4519", KEY)).toMatchObject({ state: "fault", authentication: "none" });
  });
});
