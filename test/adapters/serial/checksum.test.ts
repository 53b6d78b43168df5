import { describe, expect, it } from "vitest";
import {
  type Checksum,
  type ChecksumType,
  checksumBytes,
  checksumOf,
  isIntact,
} from "../../../adapters/serial/checksum.js";
import { fromHex, toHex } from "../../../src/base/bytes.js";

const DIGITS = Buffer.from("123456789");

describe("checksums", () => {
  // The check values of the catalogue of parametrised CRC algorithms, for "123456789".
  it.each<[ChecksumType, number]>([
    ["crc16-modbus", 0x4b37],
    ["crc16-arc", 0xbb3d],
    ["crc16-ccitt", 0x29b1],
    ["crc16-xmodem", 0x31c3],
    ["sum8", 0xdd],
    ["sum16", 0x01dd],
    ["lrc", 0x23],
    ["xor", 0x31],
  ])("%s", (type, value) => {
    expect(checksumOf(DIGITS, type)).toBe(value);
    expect(checksumOf(new Uint8Array(), type)).toBe(type === "crc16-modbus" || type === "crc16-ccitt" ? 0xffff : 0);
  });

  it.each<[Checksum, string]>([
    [{ type: "crc16-modbus" }, "374b"],
    [{ type: "crc16-modbus", order: "big" }, "4b37"],
    [{ type: "crc16-xmodem" }, "31c3"],
    [{ type: "sum16" }, "01dd"],
    [{ type: "sum16", order: "little" }, "dd01"],
    [{ type: "sum8" }, "dd"],
    [{ type: "crc16-arc", format: "hex" }, Buffer.from("BB3D").toString("hex")],
    [{ type: "xor", format: "hex" }, Buffer.from("31").toString("hex")],
  ])("%o stands as %s", (checksum, hex) => {
    expect(toHex(checksumBytes(DIGITS, checksum))).toBe(hex);
  });

  it.each<[string, string | Uint8Array, Checksum, boolean]>([
    [
      "NMEA 0183",
      "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n",
      { type: "xor", from: 1, to: -5, at: -4, format: "hex" },
      true,
    ],
    ["NMEA 0183 in small letters", "$M*4d\r\n", { type: "xor", from: 1, to: -5, at: -4, format: "hex" }, true],
    ["SDS011", fromHex("AA C0 D4 04 3A 0A A1 60 1D AB"), { type: "sum8", from: 2, to: 8, at: 8 }, true],
    ["SDS011, one bit off", fromHex("AA C0 D5 04 3A 0A A1 60 1D AB"), { type: "sum8", from: 2, to: 8, at: 8 }, false],
    ["MH-Z19", fromHex("FF 86 02 60 47 00 00 00 D1"), { type: "lrc", from: 1, to: 8, at: 8 }, true],
    ["shorter than its checksum", fromHex("FF"), { type: "crc16-arc" }, false],
    ["shorter than what is covered", fromHex("FF 86"), { type: "lrc", from: 1, to: 8, at: 8 }, false],
  ])("%s: %s", (_, frame, checksum, intact) => {
    const bytes = typeof frame === "string" ? Buffer.from(frame) : frame;
    expect(isIntact(bytes, checksum)).toBe(intact);
  });
});
