import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { textOf, valuesOf } from "../answer.js";
import type { ConformanceCase } from "../case.js";
import { expectCode, expectEqual, expectTrue } from "../difference.js";

const VALUE = "/3300/0/5700";
const START_S = 20;

/** What outlives the gateway's process (OMA LwM2M Core 1.2 §6.2, §6.4), for which there is no ETS. */
export const restart: readonly ConformanceCase[] = [
  {
    id: "causeway-restart-1",
    title: "Restart: killed within its lifetime, goes on without a Register, with what is observed and attached",
    field: "device",
    async run({ server, gateway }) {
      await server.writeAttributes(`${VALUE}?pmin=1&pmax=3`);
      const observation = await server.observe(VALUE, { accept: ContentFormat.senmlCbor });
      await observation.next(0, 3);
      await server.write("/1/0/1", 3600);
      await server.next("Update");
      // What was changed is on disk within a second.
      await observation.next(0, 3);
      await observation.next(0, 3);
      server.clear();
      await gateway.restart("SIGKILL");
      expectEqual("first request", (await server.nextOfAny(START_S * 1000)).operation, "Update");
      const before = observation.sequence;
      const again = await observation.next(0, START_S);
      expectTrue("the sequence number is later", observation.sequence > before, observation.sequence);
      expectTrue("the value is there", valuesOf(again).has(VALUE), valuesOf(again));
      expectEqual("lifetime", textOf(await server.read("/1/0/1", ContentFormat.text)), "3600");
      const links = textOf(await server.discover(VALUE));
      expectEqual("attributes", links, `<${VALUE}>;pmin=1;pmax=3`);
    },
  },
  {
    id: "causeway-restart-2",
    title: "Restart: stopped with onStop: keep, goes on with the next sequence number",
    field: "device",
    gateway: { onStop: "keep" },
    async run({ server, gateway }) {
      await server.writeAttributes("/3/0/13?pmin=2&pmax=2");
      const observation = await server.observe("/3/0/13", { accept: ContentFormat.text });
      await observation.next(1, 3);
      const before = observation.sequence;
      server.clear();
      await gateway.restart("SIGTERM");
      expectEqual("first request", (await server.nextOfAny(START_S * 1000)).operation, "Update");
      await observation.next(0, START_S);
      expectEqual("sequence number", observation.sequence, before + 1);
    },
  },
  {
    id: "causeway-restart-3",
    title: "Restart: created instances are there again",
    async run({ server, gateway }) {
      const payload = '[{"bn":"/16/5/","n":"0/0","vs":"kept"}]';
      expectCode(await server.ask("POST", "/16", { contentFormat: ContentFormat.senmlJson, payload }), "2.01");
      await server.next("Update");
      await server.write("/1/0/1", 3600);
      await server.next("Update");
      server.clear();
      await gateway.restart("SIGTERM");
      await server.next("Register", START_S * 1000);
      expectEqual("what was created", textOf(await server.read("/16/5/0/0", ContentFormat.text)), "kept");
    },
  },
];
