import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { timesOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectEqual, expectTrue } from "../difference.js";
import type { Server } from "../server.js";

const VALUE = "/3300/0/5700";
const DISABLED_S = 6;
const COLLECT = 8;

const FIELD = { field: "device", server: { history: "notify", lifetime: "24h" } } as const;

/** Notification Storing When Disabled or Offline and hqmax (OMA LwM2M Core 1.2 §6.4.2, §7.3.2), without an ETS. */
export const stored: readonly ConformanceCase[] = [
  {
    id: "causeway-stored-1",
    title: "Storing: what was measured while the server was disabled comes with its times, in order",
    ...FIELD,
    async run({ server }) {
      const times = await missed(server);
      expectTrue("stored values", times.length >= DISABLED_S - 3, times.length);
      expectEqual("their order", times, [...new Set(times)].sort());
    },
  },
  {
    id: "causeway-stored-2",
    title: "Storing: hqmax keeps the newest ones",
    ...FIELD,
    async run({ server }) {
      await server.writeAttributes(`${VALUE}?hqmax=2`);
      const times = await missed(server);
      expectEqual("stored values", times.length, 2);
    },
  },
  {
    id: "causeway-stored-3",
    title: "Storing: Notification Storing /1/x/6 false keeps none",
    ...FIELD,
    async run({ server }) {
      await server.write("/1/0/6", 0);
      expectEqual("stored values", (await missed(server)).length, 0);
    },
  },
];

/** Disables the server for a while; what it hears afterwards of that time, by the times of the measurements. */
async function missed(server: Server): Promise<readonly number[]> {
  const first = await server.observe(VALUE, { accept: ContentFormat.senmlCbor });
  await first.next(0, 3);
  await server.write("/1/0/5", DISABLED_S);
  await server.execute("/1/0/4");
  await server.next("Deregister");
  const disabledAtMs = Date.now();
  server.clear();
  await server.next("Register", (DISABLED_S + 10) * 1000);
  // What is measured from now on is told as it comes.
  const observedAtMs = Date.now();
  const again = await server.observe(VALUE, { accept: ContentFormat.senmlCbor });
  const times: number[] = [];
  for (let count = 0; count < COLLECT; count++) {
    for (const atMs of timesOf(await again.next(0, 3))) {
      if (atMs !== undefined && atMs > disabledAtMs && atMs < observedAtMs) times.push(atMs);
    }
  }
  return times;
}
