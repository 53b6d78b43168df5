import { valuesOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectContent, expectEqual, expectTrue } from "../difference.js";
import type { Server } from "../server.js";

/** The mandatory resources: one bearer, one available bearer, the signal, one address. */
const MONITORING = { "/4/0/0": undefined, "/4/0/1/0": undefined, "/4/0/2": undefined, "/4/0/4/0": undefined };
const STATISTICS = { "/7/0/2": undefined, "/7/0/3": undefined, "/7/0/4": undefined, "/7/0/5": undefined };
const QUIET_MS = 3000;

/** ETS §6.6.5 and §6.6.8. */
export const connectivity: readonly ConformanceCase[] = [
  {
    id: "1.1-int-701",
    title: "Connectivity Monitoring: query readable resources",
    run: async ({ server }) => expectContent(await server.read("/4/0"), MONITORING),
  },
  {
    id: "1.1-int-710",
    title: "Connectivity Monitoring: basic observation",
    async run({ server }) {
      await server.writeAttributes("/4/0?pmin=1&pmax=2");
      const observation = await server.observe("/4/0");
      expectContent(observation.first, MONITORING);
      for (let round = 0; round < 2; round++) expectContent(await observation.next(1, 2), MONITORING);
    },
  },
  {
    id: "1.1-int-901",
    title: "Connectivity Statistics: data collection",
    note: "without SMS there are no SMS counters",
    async run({ server }) {
      expectEqual("before Start", await largestAndAverage(server), [0, 0]);
      await server.execute("/7/0/6");
      // The answer to Start and what is asked meanwhile is traffic.
      await server.read("/3/0");
      await server.execute("/7/0/7");
      const [largest, average] = await largestAndAverage(server);
      expectTrue("0 < average <= largest", average > 0 && average <= largest, [largest, average]);
      await server.read("/3/0");
      expectEqual("after Stop", await largestAndAverage(server), [largest, average]);
    },
  },
  {
    id: "1.1-int-905",
    title: "Connectivity Statistics: set writable resources",
    async run({ server }) {
      expectContent(await server.read("/7/0"), { ...STATISTICS, "/7/0/8": 0 });
      await server.write("/7/0/8", 60);
      expectContent(await server.read("/7/0"), { ...STATISTICS, "/7/0/8": 60 });
    },
  },
  {
    id: "1.1-int-910",
    title: "Connectivity Statistics: basic observation",
    async run({ server }) {
      await server.writeAttributes("/7/0?pmin=1&pmax=2");
      await server.write("/7/0/8", 0);
      const observation = await server.observe("/7/0");
      expectContent(observation.first, { ...STATISTICS, "/7/0/8": 0 });
      await server.execute("/7/0/6");
      for (let round = 0; round < 3; round++) expectContent(await observation.next(1, 2), STATISTICS);
      const [largest] = await largestAndAverage(server);
      expectTrue("what was carried is counted", largest > 0, largest);
      await server.execute("/7/0/7");
      await observation.cancel();
      await observation.expectSilence(QUIET_MS);
    },
  },
];

async function largestAndAverage(server: Server): Promise<readonly [largest: number, average: number]> {
  const answer = await server.read("/7/0");
  expectContent(answer, STATISTICS);
  const values = valuesOf(answer);
  return [Number(values.get("/7/0/4")), Number(values.get("/7/0/5"))];
}
