import { checksumBytes, checksumOf } from "../../../adapters/serial/checksum.js";
import { concatBytes, fromHex, toHex } from "../../../src/base/bytes.js";
import type { Value } from "../../../src/lwm2m/value.js";
import { latin } from "./serial-rig.js";

const IEC_BLOCK = "0.0.0(12345678)\r\n1.8.0(001234.567*kWh)\r\n2.8.0(000001.000*kWh)\r\n!\r\n\x03";

/** After the example of DSMR P1 5.0.2 §6.12, shortened. */
const TELEGRAM = [
  "/ISk5\\2MT382-1000",
  "",
  "1-3:0.2.8(50)",
  "0-0:1.0.0(101209113020W)",
  "1-0:1.8.1(123456.789*kWh)",
  "1-0:1.8.2(000002.000*kWh)",
  "1-0:2.8.1(000000.001*kWh)",
  "1-0:2.8.2(000000.000*kWh)",
  "0-0:96.14.0(0002)",
  "1-0:1.7.0(01.193*kW)",
  "1-0:2.7.0(00.000*kW)",
  "1-0:99.97.0(2)(0-0:96.7.19)(101208152415W)(0000000240*s)(101208151004W)(0000000301*s)",
  "1-0:32.7.0(220.1*V)",
  "1-0:52.7.0(220.2*V)",
  "1-0:72.7.0(220.3*V)",
  "1-0:31.7.0(001*A)",
  "1-0:51.7.0(002*A)",
  "1-0:71.7.0(003*A)",
  "0-1:24.1.0(003)",
  "0-1:24.2.1(101209112500W)(12785.123*m3)",
  "!",
].join("\r\n");

export interface Example {
  /** What the device says on its own. */
  readonly says?: readonly Uint8Array[];
  /** What it answers, by the request. */
  readonly answers?: Readonly<Record<string, Uint8Array>>;
  readonly tree: Readonly<Record<string, Value>>;
  /** Path and value that a server writes, what is sent then, in hex, and what the device answers. */
  readonly writes?: readonly (readonly [path: string, value: Value, sent: string, answer: string])[];
}

const kmp = (hex: string): string => Buffer.from(fromHex(hex)).toString("latin1");
const MH_Z19 = Buffer.from("ff0186000000000079", "hex").toString("latin1");

/** By profile. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  "dsmr-p1": {
    says: [
      concatBytes([
        latin(TELEGRAM),
        checksumBytes(latin(TELEGRAM), { type: "crc16-arc", format: "hex" }),
        latin("\r\n"),
      ]),
    ],
    tree: {
      "/3305/0/5800": 1193,
      "/3328/0/5700": 0,
      "/3331/0/5700": 123_456_789,
      "/3331/1/5700": 2000,
      "/3331/2/5700": 1,
      "/3331/3/5700": 0,
      "/3316/0/5700": 220.1,
      "/3316/2/5700": 220.3,
      "/3317/1/5700": 2,
      "/3300/0/5700": 12_785.123,
      "/3300/0/5701": "m3",
    },
  },
  "iec62056-21-meter": {
    answers: {
      "/?!\r\n": latin("/LOG0LK13BD202001\r\n"),
      "\x06000\r\n": concatBytes([latin(`\x02${IEC_BLOCK}`), Uint8Array.of(checksumOf(latin(IEC_BLOCK), "xor"))]),
    },
    tree: { "/3331/0/5700": 1_234_567, "/3331/1/5700": 1000 },
  },
  "kamstrup-kmp-heat": {
    answers: {
      [kmp("80 3F 10 01 00 3C B2 5F 0D")]: fromHex("40 3F 10 00 3C 03 04 43 00 01 E9 A1 AE C1 0D"),
      [kmp("80 3F 10 01 00 50 1F 75 0D")]: fromHex("40 3F 10 00 50 16 04 41 00 00 00 1B BF 48 84 0D"),
      [kmp("80 3F 10 01 00 4A AC 0E 0D")]: fromHex("40 3F 10 00 4A 29 04 00 00 00 00 B8 E2 1B F9 0D"),
      // A recorded answer of a Multical 21: 314.131 m3.
      [kmp("80 3F 10 01 00 44 4D C0 0D")]: fromHex("40 3F 10 00 44 28 04 43 00 04 CB 13 29 23 0D"),
      [kmp("80 3F 10 01 00 56 7F B3 0D")]: fromHex("40 3F 10 00 56 25 04 42 00 00 19 8C 1B F9 B9 0D"),
      [kmp("80 3F 10 01 00 57 6F 92 0D")]: fromHex("40 3F 10 00 57 25 04 42 00 00 1B F2 DE F4 6A 0D"),
    },
    tree: {
      "/3331/0/5700": 125_345_000,
      "/3331/0/5701": "Wh",
      "/3328/0/5700": 6400,
      "/3300/0/5700": 0.184,
      "/3300/0/5701": "m3/h",
      "/3300/1/5700": 314.131,
      "/3303/0/5700": 65.4,
      "/3303/1/5700": 35.5,
    },
  },
  "mh-z19": {
    answers: { [MH_Z19]: fromHex("FF 86 02 60 47 00 00 00 D1") },
    tree: { "/3325/0/5700": 608, "/3325/0/5701": "ppm", "/3303/0/5700": 31 },
    writes: [
      ["/3306/0/5850", true, "ff0179a000000000e6", ""],
      ["/3306/0/5850", false, "ff0179000000000086", ""],
    ],
  },
  "mt-sics-scale": {
    answers: { "SI\r\n": latin("S S     100.00 g\r\n") },
    tree: { "/3322/0/5700": 100, "/3322/0/5701": "g", "/3200/0/5500": true },
    writes: [
      ["/3306/0/5850", true, toHex(latin("Z\r\n")), "Z A\r\n"],
      ["/3306/1/5850", true, toHex(latin("T\r\n")), "T S     12.50 g\r\n"],
    ],
  },
  "nmea-0183-gps": {
    says: [
      latin("$GPGGA,123519,4807.038,N,01131.000,W,1,08,0.9,545.4,M,46.9,M,,*55\r\n"),
      latin("$GNRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*74\r\n"),
    ],
    tree: {
      "/6/0/0": 48 + 7.038 / 60,
      "/6/0/1": -(11 + 31 / 60),
      "/6/0/2": 545.4,
      "/6/0/6": 22.4 * 0.514444,
      "/3300/0/5700": 8,
    },
  },
  pms5003: {
    says: [fromHex("42 4D 00 1C 00 05 00 08 00 0A 00 06 00 0C 00 0F 03 A2 01 05 00 2D 00 04 00 01 00 00 97 00 02 57")],
    tree: { "/3325/0/5700": 6, "/3325/1/5700": 12, "/3325/2/5700": 15, "/3325/2/5701": "ug/m3" },
  },
  sds011: {
    says: [fromHex("AA C0 D4 04 3A 0A A1 60 1D AB")],
    tree: { "/3325/0/5700": 123.6, "/3325/1/5700": 261.8 },
    writes: [
      ["/3306/0/5850", true, "aab406010100000000000000000000ffff06ab", ""],
      ["/3306/0/5850", false, "aab406010000000000000000000000ffff05ab", ""],
    ],
  },
};
