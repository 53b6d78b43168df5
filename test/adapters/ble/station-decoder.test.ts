import { beforeEach, describe, expect, it } from "vitest";
import type { Advertisement } from "../../../adapters/ble/advertisement.js";
import type { BlePoint } from "../../../adapters/ble/options.js";
import { PacketMemory } from "../../../adapters/ble/packet-memory.js";
import { StationDecoder } from "../../../adapters/ble/station-decoder.js";
import { fromHex } from "../../../src/base/bytes.js";
import { createLog } from "../../../src/base/log.js";
import type { Reading, Scalar } from "../../../src/field/reading.js";
import { FakeClock } from "../../fakes/clock.js";
import { point, station, uuid } from "./points.js";

const ADDRESS = "54:48:E6:8F:80:A5";
const KEY = fromHex("231d39c1d7cc1ab1aee224cd096db932");
const BTHOME = uuid("fcd2");

let clock: FakeClock;
let memory: PacketMemory;
let logged: string[];
beforeEach(() => {
  clock = new FakeClock();
  memory = new PacketMemory();
  logged = [];
});

function decoder(points: Readonly<Record<string, BlePoint>>, key?: Uint8Array): StationDecoder {
  const list = Object.entries(points).map(([name, address]) => point(name, address));
  const log = createLog("debug", (line) => logged.push(String(JSON.parse(line).msg)));
  return new StationDecoder(station(ADDRESS), list, { clock, log, memory, ...(key === undefined ? {} : { key }) });
}

function company(id: number, hex: string, name?: string): Advertisement {
  const manufacturer = new Map([[id, fromHex(hex)]]);
  return { manufacturer, newestCompany: id, rssi: -60, ...(name === undefined ? {} : { name }) };
}

function service(hex: string, id = BTHOME): Advertisement {
  return { services: new Map([[id, fromHex(hex)]]), rssi: -60 };
}

function values(readings: readonly Reading[]): Record<string, Scalar> {
  return Object.fromEntries(
    readings.map((reading) => [reading.point, "value" in reading ? (reading.value ?? "") : ""]),
  );
}

describe("declared data", () => {
  it("are found by company, leading bytes and length", () => {
    const at = { manufacturer: 0x0499, match: "05", length: 24 } as const;
    const ruuvi = decoder({
      temperature: { at: { ...at, byte: 1 }, type: "int16", order: "big" },
      voltage: { at: { ...at, byte: 13 }, type: "uint16", order: "big", bits: { at: 5, width: 11 } },
      txPower: { at: { ...at, byte: 13 }, type: "uint16", order: "big", bits: { at: 0, width: 5 } },
      rssi: { at: { radio: "rssi" } },
    });
    const heard = company(0x0499, "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F");
    expect(values(ruuvi.decode(heard))).toEqual({ temperature: 4860, voltage: 1377, txPower: 22, rssi: -60 });
    expect(ruuvi.decode(company(0x0499, "0312FC"))).toEqual([]);
    expect(ruuvi.decode(company(0x004c, "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F"))).toEqual([]);
    expect(ruuvi.decode({ rssi: -60 })).toEqual([]);
  });

  it("may have the sign in the highest bit", () => {
    const govee = decoder({
      packed: {
        at: { manufacturer: 0xec88, byte: 1, match: "00", length: 6 },
        type: "int24",
        order: "big",
        sign: "magnitude",
      },
    });
    expect(values(govee.decode(company(0xec88, "00034DB26400")))).toEqual({ packed: 216_498 });
    expect(values(govee.decode(company(0xec88, "00834DB26400")))).toEqual({ packed: -216_498 });
  });

  it("may be the company identifier itself", () => {
    const inkbird = decoder({
      temperature: { at: { manufacturer: "any", length: 9 }, type: "int16" },
      humidity: { at: { manufacturer: "any", length: 9, byte: 2 }, type: "uint16" },
      battery: { at: { manufacturer: "any", length: 9, byte: 9 - 2 }, type: "uint8" },
    });
    const heard = {
      manufacturer: new Map([
        [0x07fc, fromHex("C71200C83D5606")],
        [0x0101, fromHex("00")],
      ]),
      newestCompany: 0x07fc,
    };
    expect(values(inkbird.decode(heard))).toEqual({ temperature: 2044, humidity: 4807, battery: 0x56 });
    expect(inkbird.decode({ manufacturer: heard.manufacturer })).toEqual([]);
  });

  it("are told as invalid where the bytes end too soon", () => {
    const short = decoder({ x: { at: { manufacturer: 1, byte: 3 }, type: "uint16" } });
    expect(short.decode(company(1, "00000000"))).toMatchObject([
      { point: "x", quality: "invalid", reason: "4 bytes have no uint16 at byte 3" },
    ]);
  });

  it("are taken once per counter, and again when a minute later they are still said", async () => {
    const at = { manufacturer: 1, sequence: { byte: 0, type: "uint8" } } as const;
    const counted = decoder({ x: { at: { ...at, byte: 1 }, type: "uint8" }, rssi: { at: { radio: "rssi" } } });
    expect(counted.decode(company(1, "0105"))).toHaveLength(2);
    expect(counted.decode(company(1, "0105"))).toEqual([]);
    expect(counted.decode(company(1, "0205"))).toHaveLength(2);
    await clock.advance(60_000);
    expect(counted.decode(company(1, "0205"))).toHaveLength(2);
  });

  it("belong to another device when the name begins otherwise", () => {
    const named = decoder({ x: { at: { manufacturer: 1, name: "GVH507" }, type: "uint8" } });
    expect(named.decode(company(1, "05", "GVH5075_2762"))).toHaveLength(1);
    expect(named.decode(company(1, "05", "GVH5100_2762"))).toEqual([]);
    expect(named.decode(company(1, "05"))).toHaveLength(1);
  });
});

describe("packets that name their data", () => {
  const POINTS: Readonly<Record<string, BlePoint>> = {
    temperature: { at: { bthome: "temperature" } },
    second: { at: { bthome: "temperature", index: 1 } },
    coarse: { at: { bthome: 0x45 } },
    button: { at: { bthome: "button" } },
  };

  it("are read by name, by place and by number", () => {
    const own = decoder(POINTS);
    expect(values(own.decode(service("4002CA0902CF09")))).toEqual({ temperature: 25.06, second: 25.11 });
    expect(values(own.decode(service("40451101")))).toEqual({ temperature: 27.3, coarse: 27.3 });
    expect(values(own.decode(service("403A01")))).toEqual({ button: "press" });
    expect(own.decode(service("403A00"))).toEqual([]);
  });

  it("say once in the log what is not understood, and lose nothing of what is", () => {
    const own = decoder(POINTS);
    for (let round = 0; round < 3; round++) {
      expect(values(own.decode(service("4002CA09FE01")))).toEqual({ temperature: 25.06 });
    }
    expect(logged).toEqual(["packet read in part"]);
  });

  it("are invalid with a wrong key, and the log says so once", () => {
    const own = decoder(POINTS, new Uint8Array(16));
    for (let round = 0; round < 3; round++) {
      const readings = own.decode(service("41E445F3C9962B332211006C7C4519"));
      expect(readings.map(({ quality }) => quality)).toEqual(Array(4).fill("invalid"));
    }
    expect(logged).toEqual(["packet cannot be read"]);
  });

  it("are invalid without a key", () => {
    expect(decoder(POINTS).decode(service("41E445F3C9962B332211006C7C4519"))[0]).toMatchObject({
      quality: "invalid",
      reason: "the packet is encrypted: give the device its 'key'",
    });
  });

  it("are left out when they are old ones sent again, and over a new connection too", () => {
    const newer = service("41E445F3C9962B332211006C7C4519");
    expect(decoder(POINTS, KEY).decode(newer)).toHaveLength(1);
    const again = decoder(POINTS, KEY);
    expect(again.decode(newer)).toEqual([]);
    // Counter 0x33221100 is above 0x00112233, which is then an old one.
    expect(again.decode(service("41A47266C95F730011223378237214"))).toHaveLength(1);
    expect(again.decode(newer)).toEqual([]);
    expect(logged).toEqual(["old packet left out"]);
  });

  it("are heard once more after a lost connection, unless they are replays", () => {
    const sealed = service("41E445F3C9962B332211006C7C4519");
    expect(decoder(POINTS, KEY).decode(sealed)).toHaveLength(1);
    memory.renew();
    expect(decoder(POINTS, KEY).decode(sealed)).toHaveLength(1);
    expect(decoder(POINTS, KEY).decode(service("41A47266C95F730011223378237214"))).toHaveLength(1);
    memory.renew();
    expect(decoder(POINTS, KEY).decode(sealed)).toEqual([]);
  });

  it("of a stranger do not make the values of the device invalid", () => {
    const own = decoder(POINTS, KEY);
    expect(own.decode(service("41E445F3C9962B332211006C7C4519"))).toHaveLength(1);
    expect(own.decode(service("41E445F3C9962B332211006C7C4500"))).toEqual([]);
    expect(own.decode(service("41A47266C95F730011223378237214"))).toHaveLength(1);
    // A device whose key was changed is told of, though.
    expect(own.decode(service("41E445F3C9962B332211006C7C4501"))).toEqual([]);
    expect(own.decode(service("41E445F3C9962B332211006C7C4502"))).toHaveLength(4);
  });
});
