import type { Advertisement } from "../../../adapters/ble/advertisement.js";
import { fromHex } from "../../../src/base/bytes.js";
import type { Value } from "../../../src/lwm2m/value.js";
import { uuid } from "./points.js";

export interface Example {
  /** What the device advertises: of real devices, or examples of the standard. */
  readonly heard: readonly Advertisement[];
  readonly address?: string;
  readonly key?: string;
  readonly tree: Readonly<Record<string, Value>>;
}

/** By profile. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  "ruuvi-rawv2": [
    {
      heard: [company(0x0499, "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F")],
      tree: {
        "/3303/0/5700": 24.3,
        "/3303/0/5701": "Cel",
        "/3304/0/5700": 53.49,
        "/3315/0/5700": 100_044,
        "/3313/0/5702": 0.0392,
        "/3313/0/5703": -0.0392,
        "/3313/0/5704": 10.1597,
        "/3316/0/5700": 2.977,
        "/3300/0/5700": 66,
      },
    },
    {
      heard: [company(0x0499, "058001000000008001800180010000000000CBB8334C884F")],
      tree: { "/3303/0/5700": -163.835, "/3304/0/5700": 0, "/3315/0/5700": 50_000, "/3316/0/5700": 1.6 },
    },
    {
      // The standard's packet without values.
      heard: [company(0x0499, "058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF")],
      tree: { "/3303/0/6042": 1, "/3304/0/6042": 1, "/3315/0/6042": 1 },
    },
  ],
  "xiaomi-lywsd03mmc-pvvx": [
    {
      heard: [service("181a", "F4830238C1A4A9066911B60B58F70D")],
      tree: { "/3303/0/5700": 17.05, "/3304/0/5700": 44.57, "/3411/0/1": 88, "/3411/0/3": 2.998 },
    },
    {
      address: "A4:C1:38:8D:18:B2",
      key: "b9ea895fac7eea6d30532432a516f3a3",
      heard: [service("181a", "11D603FBFA7B6DFB1E26FD")],
      tree: { "/3303/0/5700": 23.45, "/3304/0/5700": 41.73, "/3411/0/1": 61 },
    },
  ],
  "xiaomi-lywsd03mmc-atc1441": [
    {
      heard: [service("181a", "A4C1380283F400A22F5F0BF819")],
      tree: { "/3303/0/5700": 16.2, "/3304/0/5700": 47, "/3411/0/1": 95, "/3411/0/3": 3.064 },
    },
  ],
  "bthome-climate": [
    {
      heard: [service("fcd2", "400009015D025D0903B718")],
      tree: { "/3303/0/5700": 23.97, "/3304/0/5700": 63.27, "/3411/0/1": 93 },
    },
    {
      address: "54:48:E6:8F:80:A5",
      key: "231d39c1d7cc1ab1aee224cd096db932",
      heard: [service("fcd2", "41E445F3C9962B332211006C7C4519")],
      tree: { "/3303/0/5700": 25.06, "/3304/0/5700": 50.55 },
    },
  ],
  "bthome-contact": [
    { heard: [service("fcd2", "4401611101")], tree: { "/3200/0/5500": true, "/3411/0/1": 97 } },
    { heard: [service("fcd2", "441101"), service("fcd2", "441100")], tree: { "/3200/0/5500": false } },
  ],
  "shelly-blu-door-window": [
    {
      heard: [service("fcd2", "4400220164050000002D013F0000")],
      tree: { "/3200/0/5500": true, "/3301/0/5700": 0, "/3300/0/5700": 0, "/3411/0/1": 100 },
    },
  ],
  "bthome-motion": [
    {
      heard: [service("fcd2", "44001A0164 05981A00 2101".replaceAll(" ", ""))],
      tree: { "/3302/0/5500": true, "/3301/0/5700": 68.08, "/3411/0/1": 100 },
    },
  ],
  "bthome-button": [
    {
      heard: [service("fcd2", "44000101643A01")],
      tree: { "/3348/0/5547": 1, "/3300/0/5700": 1, "/3411/0/1": 100 },
    },
    {
      heard: [service("fcd2", "44000201643A04"), service("fcd2", "44000301643A00")],
      tree: { "/3348/0/5547": 4, "/3300/0/5700": 3 },
    },
    {
      // The same twice, and the packets begin anew.
      heard: [service("fcd2", "4400FF01643A01"), service("fcd2", "44000001643A01")],
      tree: { "/3348/0/5547": 1, "/3300/0/5700": 256 },
    },
  ],
  "bthome-plug": [
    {
      heard: [service("fcd2", "400A138A140B021B00434E344A0209")],
      tree: { "/3305/0/5800": 69.14, "/3305/0/5805": 1_346_067, "/3316/0/5700": 230.6, "/3317/0/5700": 13.39 },
    },
  ],
  "govee-h5075": [
    {
      heard: [company(0xec88, "00034DB26400", "GVH5075_DBF8")],
      tree: { "/3303/0/5700": 21.6, "/3304/0/5700": 49.8, "/3411/0/1": 100 },
    },
    { heard: [company(0xec88, "00030FC93500", "GVH5075_2762")], tree: { "/3303/0/5700": 20, "/3304/0/5700": 64.9 } },
    { heard: [company(0xec88, "00802B673500", "GVH5072_2762")], tree: { "/3303/0/5700": -1.1, "/3304/0/5700": 11.1 } },
  ],
  "inkbird-ibs-th2": [
    {
      heard: [company(0x07fc, "C71200C83D5606", "sps")],
      tree: { "/3303/0/5700": 20.44, "/3304/0/5700": 48.07, "/3411/0/1": 86 },
    },
    { heard: [company(0xff38, "D01300CE906406", "sps")], tree: { "/3303/0/5700": -2, "/3304/0/5700": 50.72 } },
  ],
  "mopeka-pro-check": [
    {
      // 3.0 V, 20 °C, echo 1000 of quality 3: 1000 · (0.573045 − 0.002822 · 60 − 0.00000535 · 3600) mm.
      heard: [company(0x0059, "03603CE8C3AABBCC0000")],
      tree: { "/3330/0/5700": 0.3845, "/3303/0/5700": 20, "/3300/0/5700": 3, "/3316/0/5700": 3 },
    },
  ],
  "xiaomi-mibeacon-climate": [
    {
      heard: [
        service("fe95", "5020AA01DA219335342D580D1004FE004802"),
        service("fe95", "5020AA01DB219335342D580A10015D"),
      ],
      tree: { "/3303/0/5700": 25.4, "/3304/0/5700": 58.4, "/3411/0/1": 93 },
    },
    {
      key: "e9ea895fac7cca6d30532432a516f3a8",
      heard: [service("fe95", "58585B0550F4830238C1A495EF58763C26000097E2ABB5")],
      tree: { "/3304/0/5700": 46.7 },
    },
    {
      address: "A4:C1:38:80:15:07",
      key: "4d8f1373fb4d3bab557d0ebd1c78f8c4",
      heard: [service("fe95", "4859B5553A8699BDA053448F1200005B046D6A")],
      tree: { "/3303/0/5700": 25.2 },
    },
  ],
};

function company(id: number, hex: string, name?: string): Advertisement {
  const manufacturer = new Map([[id, fromHex(hex)]]);
  return { manufacturer, newestCompany: id, ...(name === undefined ? {} : { name }) };
}

export function service(short: string, hex: string): Advertisement {
  return { services: new Map([[uuid(short), fromHex(hex)]]) };
}
