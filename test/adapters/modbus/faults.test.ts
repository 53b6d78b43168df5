import { describe, expect, it } from "vitest";
import { ModbusLink } from "../../../adapters/modbus/link.js";
import { PduCodec } from "../../../adapters/modbus/pdu.js";
import { rtuFraming } from "../../../adapters/modbus/rtu-framing.js";
import { SerialTransport } from "../../../adapters/modbus/serial-transport.js";
import { timingOf } from "../../../adapters/modbus/timing.js";
import { FakeClock } from "../../fakes/clock.js";
import { modbusPoint } from "./points.js";
import { type Behaviour, SlaveLine } from "./slave-line.js";

const codec = await PduCodec.load();

const POLLS = 3000;
const TIMEOUT_MS = 200;

/** Mulberry32: 0 ≤ x < 1, the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What goes wrong on real lines; late answers come before twice the time-out has passed. */
function badLine(random: () => number): Behaviour {
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low));
  const noise = (): Uint8Array => Uint8Array.from({ length: between(1, 12) }, () => between(0, 256));
  const behaviours: readonly Behaviour[] = [
    () => [],
    (bytes) => [{ afterMs: between(TIMEOUT_MS + 20, 2 * TIMEOUT_MS), bytes }],
    (bytes) => [{ afterMs: 5, bytes: bytes.slice(0, between(1, bytes.length)) }],
    (bytes) => [
      { afterMs: 5, bytes: bytes.slice(0, 4) },
      { afterMs: between(6, 150), bytes: bytes.slice(4) },
    ],
    (bytes) => {
      const damaged = bytes.slice();
      const at = between(0, bytes.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << between(0, 8));
      return [{ afterMs: 5, bytes: damaged }];
    },
    (bytes) => [
      { afterMs: 3, bytes: noise() },
      { afterMs: 5, bytes },
    ],
    (bytes) => [
      { afterMs: 5, bytes },
      { afterMs: 6, bytes: noise() },
    ],
    (bytes) => [
      { afterMs: 5, bytes },
      { afterMs: 5, bytes },
    ],
    (bytes, request) => [
      { afterMs: 1, bytes: request.slice() },
      { afterMs: 9, bytes },
    ],
    () => [{ afterMs: 5, bytes: noise() }],
  ];
  return (answer, request) => {
    const behaviour = random() < 0.5 ? undefined : behaviours[between(0, behaviours.length)];
    return behaviour?.(answer, request) ?? [{ afterMs: 5, bytes: answer }];
  };
}

describe("Modbus RTU on a bad line", () => {
  it.each([1, 20260101])(`gives no wrong value in ${POLLS} polls, seed %i`, async (seed) => {
    const random = seeded(seed);
    const clock = new FakeClock();
    const line = new SlaveLine(clock);
    const timing = timingOf({ transport: "rtu", port: "p", baudRate: 115200, responseTimeout: TIMEOUT_MS });
    const link = new ModbusLink(new SerialTransport(line, rtuFraming, timing, clock), codec, timing, clock);
    const signal = new AbortController().signal;
    line.behaviour = badLine(random);
    const outcomes: Record<string, number> = {};
    for (let poll = 0; poll < POLLS; poll++) {
      const unit = 1 + Math.floor(random() * 3);
      const register = Math.floor(random() * 4);
      // Every poll has a truth of its own, so that an answer to another poll is a wrong value.
      line.unit(unit).set("holding", register, poll);
      const point = modbusPoint("p", "holding", register, { type: "uint16" });
      const reading = link.read({ name: "d", address: { unit }, traits: {} }, [point], signal);
      let done = false;
      void reading.finally(() => {
        done = true;
      });
      for (let step = 0; !done; step++) {
        expect(step).toBeLessThan(100);
        await clock.advance(50);
      }
      const [result] = await reading;
      outcomes[result?.quality ?? "none"] = (outcomes[result?.quality ?? "none"] ?? 0) + 1;
      if (result?.quality === "good") expect(result.value).toBe(poll);
    }
    expect(outcomes["good"]).toBeGreaterThan(POLLS / 2);
    expect(outcomes["timeout"]).toBeGreaterThan(0);
    expect(outcomes["crc"]).toBeGreaterThan(0);
    expect(outcomes["none"]).toBeUndefined();
  });
});
