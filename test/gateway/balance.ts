import { expect } from "vitest";
import type { Served } from "../fakes/plant.js";
import type { Arrival, WireLwm2mServer } from "../fakes/wire-server.js";
import type { Rig } from "./rig.js";

/** What became of the readings of a meter, each of which has a value of its own. */
export interface Balance {
  /** Served by the plant, never heard of by the server. */
  readonly lost: readonly string[];
  /** Heard of by the server, never served by the plant. */
  readonly invented: readonly string[];
  /** Arrived with the time of another moment than that of the measurement. */
  readonly mistimed: readonly string[];
  /** Heard of first in a Send, after something in a Send that was measured later at the same place. */
  readonly disordered: readonly string[];
}

const BALANCED: Balance = { lost: [], invented: [], mistimed: [], disordered: [] };

/** A message without a time speaks of now: its value may be this old, of the last poll, and some time on the way. */
const NOW_MS = 1300;

const LOOK_EVERY_MS = 5000;

/** Lets the clock go on until the server has everything that `meter` gave, or it is clear that it never will. */
export async function expectBalance(
  rig: Rig,
  withinMs: number,
  { server = rig.server, counts = () => true }: { server?: WireLwm2mServer; counts?: (served: Served) => boolean } = {},
): Promise<void> {
  const look = (): Balance =>
    balance(
      rig.plant.served.filter(({ station }) => station === "meter"),
      server.arrivals.filter(({ path }) => METER_PATH.test(path)),
      counts,
    );
  for (let leftMs = withinMs; leftMs > 0 && look().lost.length > 0; leftMs -= LOOK_EVERY_MS) {
    await rig.run(LOOK_EVERY_MS);
  }
  expect(look()).toEqual(BALANCED);
}

const METER_PATH = /^\/3300\/\d\/5700$/;

/** Of the ten values of a meter whose objects are /3300/0 to /3300/9; what does not count may be lost. */
function balance(
  served: readonly Served[],
  arrivals: readonly Arrival[],
  counts: (served: Served) => boolean,
): Balance {
  const wanted = new Set<string>();
  /** A value that rests is measured again and again. */
  const measured = new Map<string, number[]>();
  for (const one of served) {
    const { point, value, atMs } = one;
    const reading = `/3300/${point.replace("value", "")}/5700 ${value}`;
    const times = measured.get(reading);
    if (times === undefined) measured.set(reading, [atMs]);
    else times.push(atMs);
    if (counts(one)) wanted.add(reading);
  }
  const heard = new Set<string>();
  const result = {
    invented: [] as string[],
    mistimed: [] as string[],
    disordered: [] as string[],
  };
  const newestSent = new Map<string, number>();
  for (const { how, path, value, atMs, arrivedAtMs } of arrivals) {
    const reading = `${path} ${String(value)}`;
    const isKnown = heard.has(reading);
    heard.add(reading);
    const times = measured.get(reading);
    if (times === undefined) {
      result.invented.push(reading);
      continue;
    }
    // The answer to a repeated request is repeated, too: it speaks of when it was asked first.
    if (how !== "observed" && !times.some((measuredMs) => isTimeOf(measuredMs, atMs, arrivedAtMs))) {
      result.mistimed.push(`${how} ${reading}: ${atMs ?? "now"} at ${arrivedAtMs}, measured at ${times[0]}`);
    }
    // What was not acknowledged is sent again, though it may have arrived.
    if (how !== "sent" || atMs === undefined || isKnown) continue;
    if (atMs < (newestSent.get(path) ?? 0)) result.disordered.push(reading);
    newestSent.set(path, atMs);
  }
  return { lost: [...wanted].filter((reading) => !heard.has(reading)), ...result };
}

/** Times on the wire have milliseconds, the fake clock has parts of them. */
function isTimeOf(measuredMs: number, atMs: number | undefined, arrivedAtMs: number): boolean {
  if (atMs !== undefined) return Math.abs(atMs - measuredMs) < 1;
  return arrivedAtMs >= measuredMs && arrivedAtMs - measuredMs <= NOW_MS;
}
