import { modbus } from "../adapters/modbus/index.js";
import type { ModbusPoint } from "../adapters/modbus/options.js";
import { defineAdapter, type Point } from "../src/field/index.js";
import { loadModels } from "../src/lwm2m/model/models.js";
import type { Profile } from "../src/mapping/profile.js";
import { ProfileShelf, shippedMappings } from "../src/mapping/profiles.js";
import { type Benchmark, round, type Sample } from "./benchmark.js";
import { SimulatedBus } from "./simulated-bus.js";

const LINK = { transport: "rtu", port: "p", baudRate: 9600, responseTimeout: 1000 } as const;
const POLL = { fastMs: 1000, normalMs: 10_000, slowMs: 300_000 };
const SLAVES = 20;
const DEAD = [1, 5, 10] as const;
const STRIPS = [16, 60, 125] as const;
const MINUTE_MS = 60_000;
const FIRST_INPUT = 2;
const QUANTITY = 4;

/** What a field gateway is measured by, on a simulated line of 9600 Bd in virtual time. */
export const fieldChecklist: Benchmark = {
  name: "field-checklist",
  title: "Modbus RTU at 9600 Bd: what costs bus time and what loses values",
  measure: "figure",
  async run({ progress }) {
    const shelf = await ProfileShelf.open(
      [shippedMappings()],
      new Map([["modbus", defineAdapter(modbus)]]),
      await loadModels(),
    );
    const meter = (await shelf.read("eastron-sdm630"))?.profile;
    if (meter === undefined) throw new Error("there is no profile eastron-sdm630");
    const samples: Sample[] = [];
    const add = (subject: string, figure: number, atMost: number): void => {
      samples.push({ subject, round: 1, values: { figure, "at most": atMost } });
      progress(`${subject}: ${figure}`);
    };
    add("requests per cycle of an SDM630", await requestsPerCycle(meter), 1);
    for (const dead of DEAD) {
      const { share, untilKnownS, lost } = await costOfDead(meter, dead);
      const subject = `${dead} of ${SLAVES} slaves dead`;
      add(`${subject}: % of bus time`, share, 10);
      add(`${subject}: s of bus time for each until that is known`, untilKnownS, 4);
      add(`${subject}: % of the living's polls lost`, lost, 0);
    }
    for (const length of STRIPS) {
      const { requests, lost } = await costOfBadRegister(length);
      add(`a bad register among ${length}: further requests`, requests, Math.ceil(Math.log2(length)) + 1);
      add(`a bad register among ${length}: other values lost`, lost, 0);
    }
    return samples;
  },
};

function pointsOf(profile: Profile): readonly Point<unknown>[] {
  return [...profile.points.values()].map(({ point }) => point);
}

async function requestsPerCycle(meter: Profile): Promise<number> {
  await using bus = await SimulatedBus.open({
    link: LINK,
    devices: 1,
    points: pointsOf(meter),
    traits: meter.traits,
    poll: POLL,
    onReadings: () => undefined,
  });
  await bus.clock.pass(MINUTE_MS);
  const before = bus.line.requests;
  await bus.clock.pass(10 * MINUTE_MS);
  return (bus.line.requests - before) / ((10 * MINUTE_MS) / POLL.normalMs);
}

interface DeadCost {
  /** Of the bus's time, percent, in the ten minutes after it is known. */
  readonly share: number;
  readonly untilKnownS: number;
  /** Percent. */
  readonly lost: number;
}

/** Some slaves die after a minute, which is found out in the minute after that. */
async function costOfDead(meter: Profile, dead: number): Promise<DeadCost> {
  let isDead = false;
  let silences = 0;
  let polls = 0;
  await using bus = await SimulatedBus.open({
    link: LINK,
    devices: SLAVES,
    points: pointsOf(meter),
    traits: meter.traits,
    poll: POLL,
    fault: (unit) => {
      if (!isDead || unit > dead) return undefined;
      silences++;
      return { kind: "silent" };
    },
    onReadings: (readings) => {
      if (readings.every(({ quality }) => quality === "good")) polls++;
    },
  });
  await bus.clock.pass(MINUTE_MS);
  isDead = true;
  const isKnown = (): boolean =>
    bus.field.status().devices.filter(({ health }) => health === "offline").length === dead;
  for (let second = 0; second < 60 && !isKnown(); second++) await bus.clock.pass(1000);
  const untilKnown = silences;
  polls = 0;
  await bus.clock.pass(10 * MINUTE_MS);
  const living = SLAVES - dead;
  const wanted = (living * 10 * MINUTE_MS) / POLL.normalMs;
  return {
    share: round((100 * (silences - untilKnown) * LINK.responseTimeout) / (10 * MINUTE_MS), 1),
    untilKnownS: round((untilKnown * LINK.responseTimeout) / 1000 / dead, 1),
    // What was under way when time ran out is not lost.
    lost: round((100 * Math.max(0, wanted - living - polls)) / wanted, 1),
  };
}

/** The worst of all places: requests until every other value is there, and values that are never there. */
async function costOfBadRegister(length: number): Promise<{ readonly requests: number; readonly lost: number }> {
  const strip = Array.from(
    { length },
    (_, register): Point<ModbusPoint> => ({
      name: `r${register}`,
      access: "r",
      pollClass: "normal",
      address: { at: { table: "input", register }, type: "uint16" },
    }),
  );
  const worst = { requests: 0, lost: 0 };
  for (let bad = 0; bad < length; bad++) {
    const good = new Set<string>();
    let requests = 0;
    let needed = 0;
    await using bus = await SimulatedBus.open({
      link: LINK,
      devices: 1,
      points: strip,
      poll: POLL,
      fault: (_, pdu) => {
        requests++;
        const first = (pdu[FIRST_INPUT - 1] ?? 0) * 256 + (pdu[FIRST_INPUT] ?? 0);
        return first <= bad && bad < first + (pdu[QUANTITY] ?? 0) ? { kind: "exception", code: 2 } : undefined;
      },
      onReadings: (readings) => {
        const before = good.size;
        for (const { point, quality } of readings) if (quality === "good") good.add(point);
        if (good.size > before) needed = requests;
      },
    });
    await bus.clock.pass(20_000);
    // The first one was refused.
    worst.requests = Math.max(worst.requests, needed - 1);
    worst.lost = Math.max(worst.lost, length - 1 - good.size);
  }
  return worst;
}
