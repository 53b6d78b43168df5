import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import type { Answer } from "../answer.js";
import { valuesOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectAbsent, expectCode, expectContent, expectEqual, expectTrue } from "../difference.js";
import type { Observation } from "../observation.js";
import type { Server } from "../server.js";
import { createPortfolio } from "./portfolio.js";

/** Seconds that stand for the 30 and 45 of the ETS; 5 to 20 are 1 to 3 here. */
const PMIN_S = 2;
const PMAX_S = 3;
const VOLTAGE = { "/3/0/7/0": 0, "/3/0/7/1": 0 };
const CURRENT = { "/3/0/8/0": 0, "/3/0/8/1": 0 };
const COMPOSITE = { "/1/0/1": 86_400, "/3/0/11/0": 0, "/3/0/16": "U" };
const COMPOSITE_PATHS = ["/1/0/1", "/3/0/11/0", "/3/0/16"];
const INSTANCES = ["/16/0", "/16/1"];
const QUIET_MS = 3500;

/** ETS §6.4. Periods are shortened, so that a run is a matter of seconds. */
export const reporting: readonly ConformanceCase[] = [
  {
    id: "1.1-int-301",
    title: "Observation and Notification of parameter values",
    async run({ server }) {
      expectContent(await server.read("/3/0/6"), { "/3/0/6/0": 1, "/3/0/6/1": 2 });
      const [voltage, current] = await observeBoth(server);
      for (let round = 0; round < 3; round++) expectContent(await voltage.next(1, 2), VOLTAGE);
      for (let round = 0; round < 2; round++) expectContent(await current.next(1, 8), CURRENT);
    },
  },
  {
    id: "1.1-int-302",
    title: "Cancel Observations using Reset Operation",
    async run({ server }) {
      const [voltage, current] = await observeBoth(server);
      await voltage.next(1, 2);
      voltage.reply = "RST";
      await voltage.next(1, 2);
      await current.next(1, 8);
      current.reply = "RST";
      await current.next(1, 8);
      await Promise.all([voltage.expectSilence(QUIET_MS), current.expectSilence(QUIET_MS)]);
    },
  },
  {
    id: "1.1-int-303",
    title: "Cancel Observations using Observe with Cancel parameter",
    note: "each observation by its token (RFC 7641 3.6), not at /3/0",
    async run({ server }) {
      const [voltage, current] = await observeBoth(server);
      await voltage.next(1, 2);
      expectContent(await voltage.cancel(), VOLTAGE);
      expectContent(await current.cancel(), CURRENT);
      await Promise.all([voltage.expectSilence(QUIET_MS), current.expectSilence(QUIET_MS)]);
    },
  },
  {
    id: "1.1-int-304",
    title: "Observe-Composite Operation",
    async run({ server }) {
      for (const format of [ContentFormat.senmlCbor, ContentFormat.senmlJson]) {
        await server.writeAttributes(`/1/0/1?pmin=${PMIN_S}&pmax=${PMAX_S}`);
        const observation = await server.observeComposite(COMPOSITE_PATHS, format);
        expectContent(observation.first, COMPOSITE, format);
        expectContent(await observation.next(PMIN_S, PMAX_S), COMPOSITE, format);
        await observation.cancel();
      }
    },
  },
  {
    id: "1.1-int-305",
    title: "Cancel Observe-Composite Operation",
    async run({ server }) {
      await server.writeAttributes("/1/0/1?pmin=1&pmax=1");
      const observation = await server.observeComposite(COMPOSITE_PATHS, ContentFormat.senmlCbor);
      expectContent(observation.first, COMPOSITE);
      await observation.next(1, 1);
      expectContent(await observation.cancel(), COMPOSITE);
      await observation.expectSilence(QUIET_MS);
    },
  },
  {
    id: "1.1-int-306",
    title: "Send",
    field: "device",
    run: async ({ server }) => expectSend(server),
  },
  {
    id: "1.1-int-307",
    title: "Muting Send",
    field: "device",
    async run({ server }) {
      await expectSend(server);
      await server.write("/1/0/23", 1);
      server.clear();
      const whileMuted = await server.next("Send", QUIET_MS).catch(() => undefined);
      expectTrue("no Send while muted", whileMuted === undefined, "a Send");
      await server.write("/1/0/23", 0);
      await expectSend(server);
    },
  },
  {
    id: "1.1-int-308",
    title: "Observe-Composite and Creating Object Instance",
    async run({ server }) {
      await createPortfolio(server, 0, ["aa", "bb", "cc", "dd"]);
      const observation = await observePortfolio(server);
      expectAbsent(observation.first, ["/16/1"]);
      expectAbsent(expectFirst(await observation.next(PMIN_S, PMAX_S)), ["/16/1"]);
      await createPortfolio(server, 1, ["11", "22", "33", "44"]);
      expectSecond(expectFirst(await observation.next(PMIN_S, PMAX_S)));
    },
  },
  {
    id: "1.1-int-309",
    title: "Observe-Composite and Deleting Object Instance",
    async run({ server }) {
      await createPortfolio(server, 0, ["aa", "bb", "cc", "dd"]);
      await createPortfolio(server, 1, ["11", "22", "33", "44"]);
      const observation = await observePortfolio(server);
      expectSecond(observation.first);
      expectSecond(expectFirst(await observation.next(PMIN_S, PMAX_S)));
      expectCode(await server.ask("DELETE", "/16/1"), "2.02");
      expectAbsent(expectFirst(await observation.next(PMIN_S, PMAX_S)), ["/16/1"]);
    },
  },
  {
    id: "1.1-int-310",
    title: "Observe-Composite and modification of parameter values",
    async run({ server }) {
      await server.write("/1/0/3", 0);
      const observation = await server.observeComposite(["/1/0/3", "/3/0"], ContentFormat.senmlCbor);
      expectContent(observation.first, { "/1/0/3": 0, "/3/0/16": "U" }, ContentFormat.senmlCbor);
      await server.writeAttributes("/3?pmax=1");
      for (let round = 0; round < 3; round++) expectContent(await observation.next(0, 1), { "/3/0/16": "U" });
    },
  },
  {
    id: "1.2-int-312",
    title: "Observation and Notification with attributes as parameters",
    async run({ server }) {
      const observation = await server.observe("/3/0/7?pmin=1&pmax=2");
      expectContent(observation.first, VOLTAGE);
      for (let round = 0; round < 2; round++) expectContent(await observation.next(1, 2), VOLTAGE);
    },
  },
  {
    id: "1.2-int-313",
    title: "Observe parameters override attached attributes",
    async run({ server }) {
      await server.writeAttributes("/3/0/7?pmin=1&pmax=60");
      const observation = await server.observe("/3/0/7?pmin=1&pmax=2");
      expectContent(observation.first, VOLTAGE);
      for (let round = 0; round < 2; round++) expectContent(await observation.next(1, 2), VOLTAGE);
    },
  },
];

/** Voltage every 1 to 2 s, current every 1 to 3 s. */
async function observeBoth(server: Server): Promise<readonly [Observation, Observation]> {
  await server.writeAttributes("/3/0/7?pmin=1&pmax=2");
  await server.writeAttributes("/3/0/8?pmin=1&pmax=3");
  const voltage = await server.observe("/3/0/7");
  const current = await server.observe("/3/0/8");
  expectContent(voltage.first, VOLTAGE);
  expectContent(current.first, CURRENT);
  return [voltage, current];
}

async function observePortfolio(server: Server): Promise<Observation> {
  await server.writeAttributes(`/16/0?pmin=${PMIN_S}&pmax=${PMAX_S}`);
  const observation = await server.observeComposite(INSTANCES, ContentFormat.senmlCbor);
  expectFirst(observation.first);
  return observation;
}

function expectFirst(answer: Answer): Answer {
  expectContent(answer, { "/16/0/0/0": "aa", "/16/0/0/3": "dd" }, ContentFormat.senmlCbor);
  return answer;
}

function expectSecond(answer: Answer): void {
  expectContent(answer, { "/16/1/0/0": "11", "/16/1/0/3": "44" });
}

/** A Send in SenML of registered objects only. */
async function expectSend(server: Server): Promise<void> {
  const { contentFormat = -1, payload } = await server.next("Send");
  expectTrue("SenML", contentFormat === 110 || contentFormat === 112, contentFormat);
  const values = valuesOf({ of: "Send", path: "/", code: "2.04", contentFormat, locationPath: [], payload });
  const objects = new Set([...values.keys()].map((path) => path.split("/")[1]));
  expectEqual("objects of the Send", [...objects], ["3300"]);
}
