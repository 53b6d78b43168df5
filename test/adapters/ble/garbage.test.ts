import { describe, expect, it } from "vitest";
import { DeviceView } from "../../../adapters/ble/device-view.js";
import { FORMATS, objectsNamed, PACKET_FORMATS } from "../../../adapters/ble/formats.js";
import type { BlePoint } from "../../../adapters/ble/options.js";
import { PacketMemory } from "../../../adapters/ble/packet-memory.js";
import { StationDecoder } from "../../../adapters/ble/station-decoder.js";
import { silentLog } from "../../../src/base/log.js";
import { FakeClock } from "../../fakes/clock.js";
import { type Random, random } from "../../fakes/random.js";
import { point, station } from "./points.js";

const ROUNDS = 2000;
/** First bytes that lead a decoder deep into a packet. */
const HEADS: readonly [Uint8Array, ...Uint8Array[]] = [
  Uint8Array.of(0x40),
  Uint8Array.of(0x41),
  Uint8Array.of(0x43),
  Uint8Array.of(0x58, 0x58),
  Uint8Array.of(0x50, 0x20),
  Uint8Array.of(0x78, 0x50),
  new Uint8Array(),
];

function payload(dice: Random): Uint8Array {
  const head = dice.pick(HEADS);
  return Uint8Array.of(...head, ...dice.bytes(dice.below(28)));
}

/** Every datum of every format, and bytes at the edges. */
function allPoints(): BlePoint[] {
  const named = PACKET_FORMATS.flatMap((format) =>
    objectsNamed(format).map((name): BlePoint => ({ at: { [format]: name } })),
  );
  return [
    ...named,
    { at: { manufacturer: "any", byte: 1, match: "..", sequence: { byte: 2, type: "uint16" } }, type: "int24" },
    { at: { manufacturer: 1, byte: 20 }, type: "float32" },
    { at: { service: FORMATS.bthome.uuid, length: 9 }, type: "string" },
    { at: { radio: "rssi" } },
  ];
}

describe("what strangers send", () => {
  it("is decoded or told as a fault, and never stops the gateway", () => {
    const dice = random();
    const clock = new FakeClock();
    const points = allPoints().map((address, index) => point(`p${index}`, address));
    const contexts = [undefined, dice.bytes(16)].map((key) => ({
      clock,
      log: silentLog,
      memory: new PacketMemory(),
      ...(key === undefined ? {} : { key }),
    }));
    const decoders = contexts.map((context) => new StationDecoder(station("C0:00:00:00:00:01"), points, context));
    const told = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const data = payload(dice);
      const services = new Map(PACKET_FORMATS.map((format) => [FORMATS[format].uuid, data]));
      const company = dice.below(3);
      const heard = { services, manufacturer: new Map([[company, data]]), newestCompany: company };
      for (const decoder of decoders) {
        for (const reading of decoder.decode(heard)) {
          told.set(reading.quality, (told.get(reading.quality) ?? 0) + 1);
        }
      }
    }
    expect([...told.keys()].sort(), `seed ${dice.seed}`).toEqual(["good", "invalid"]);
    expect(told.get("good"), `seed ${dice.seed}`).toBeGreaterThan(ROUNDS);
  });

  it("may have any shape on D-Bus", () => {
    const dice = random();
    const view = new DeviceView();
    const shapes = [
      null,
      undefined,
      1,
      "x",
      [],
      {},
      Buffer.from("00"),
      { signature: "ay", value: Buffer.from("00ff") },
    ];
    const any = (depth = 0): unknown => {
      const shape = shapes[dice.below(shapes.length)];
      if (depth > 2 || dice.below(2) === 0) return shape;
      return { signature: "v", value: { "1177": any(depth + 1), x: any(depth + 1) } };
    };
    for (let round = 0; round < ROUNDS; round++) {
      const heard = view.hear({
        RSSI: any(),
        TxPower: any(),
        Name: any(),
        ManufacturerData: any(),
        ServiceData: any(),
      });
      for (const bytes of heard?.manufacturer?.values() ?? []) {
        expect(bytes, `seed ${dice.seed}`).toBeInstanceOf(Uint8Array);
      }
    }
  });
});
