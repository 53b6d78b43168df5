import { once } from "node:events";
import { createServer } from "node:net";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import mqttAdapter from "../../../adapters/mqtt/index.js";
import { scanTool } from "../../../adapters/mqtt/scan.js";
import { SmallBroker } from "../../../adapters/mqtt/small-broker.js";
import { silentLog } from "../../../src/base/log.js";
import type { Finding, ProfileCandidate } from "../../../src/field/tool.js";
import { loadModels } from "../../../src/lwm2m/model/models.js";
import { profileCandidate } from "../../../src/mapping/candidate.js";
import { ProfileShelf, shippedMappings } from "../../../src/mapping/profiles.js";
import { FakeClock, settle } from "../../fakes/clock.js";

let profiles: ProfileCandidate<never>[];
beforeAll(async () => {
  const shelf = await ProfileShelf.open([shippedMappings()], new Map([["mqtt", mqttAdapter]]), await loadModels());
  const names = shelf.names.filter((name) => shelf.adapterOf(name) === "mqtt");
  const read = await Promise.all(names.map((name) => shelf.read(name)));
  profiles = read.flatMap((one) => (one?.profile === undefined ? [] : [profileCandidate(one.profile) as never]));
});

let clock: FakeClock;
let found: Finding[];
let progress: string[];
let stop: AbortController;
beforeEach(() => {
  clock = new FakeClock();
  found = [];
  progress = [];
  stop = new AbortController();
});

function scan(values: Readonly<Record<string, string>>): Promise<void> {
  const context = {
    clock,
    log: silentLog,
    profiles,
    found: (...some: readonly Finding[]) => void found.push(...some),
    progress: (text: string) => void progress.push(text),
  };
  return scanTool.run({ values, positionals: [] }, context, stop.signal);
}

describe("scan mqtt", () => {
  it("tells devices by the topics of profiles, and shows what it does not know", async () => {
    await using broker = await SmallBroker.listen();
    broker.publish("zigbee2mqtt/0x0015", '{"battery":97,"humidity":52.1,"temperature":21.37}', "retained");
    broker.publish("zigbee2mqtt/door", '{"battery":100,"contact":true}', "retained");
    broker.publish("tele/boiler/SENSOR", '{"Time":"x","DS18B20":{"Temperature":61.2},"TempUnit":"C"}', "retained");
    broker.publish("stat/lamp/POWER", "ON", "retained");
    broker.publish("tele/lamp/LWT", "Online", "retained");
    broker.publish("weather/roof", "wind\n12 m/s", "retained");
    const scanning = scan({ url: `mqtt://127.0.0.1:${broker.port}`, seconds: "5" });
    while (broker.filters.length === 0) await settle();
    await clock.advance(0);
    broker.publish("zigbee2mqtt/door", '{"contact":false}');
    while (progress.length < 7) await settle();
    await clock.advance(5000);
    await scanning;
    const rows = found.map(({ topic, address, profile, points, payload }) => [
      topic,
      address,
      profile,
      points,
      payload,
    ]);
    expect(rows).toContainEqual(["zigbee2mqtt/0x0015", 'id: "0x0015"', "zigbee2mqtt-climate", "3 of 3", undefined]);
    expect(rows).toContainEqual(["zigbee2mqtt/door", 'id: "door"', "zigbee2mqtt-contact", "2 of 2", undefined]);
    expect(rows).toContainEqual([
      "tele/boiler/SENSOR",
      'id: "boiler", sensor: "DS18B20"',
      "tasmota-climate",
      "1 of 2",
      undefined,
    ]);
    expect(rows).toContainEqual(["stat/lamp/POWER", 'id: "lamp"', "tasmota-switch", "1 of 1", undefined]);
    expect(rows).toContainEqual(["weather/roof", undefined, undefined, undefined, "wind 12 m/s"]);
    expect(rows).toHaveLength(5);
  });

  it("ends with the signal, and leaves the broker", async () => {
    await using broker = await SmallBroker.listen();
    const scanning = scan({ url: `127.0.0.1:${broker.port}`, topic: "zigbee2mqtt/#" });
    while (broker.filters.length === 0) await settle();
    expect(broker.filters).toEqual(["zigbee2mqtt/#"]);
    stop.abort();
    await scanning;
    while (broker.filters.length > 0) await settle();
    expect(found).toEqual([]);
  });

  it("ends with the signal at a broker that acknowledges no subscription", async () => {
    let asked = 0;
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      // CONNACK (MQTT 3.1.1 §3.2) to the first packet, nothing to those after.
      socket.on("data", () => asked++ === 0 && socket.write(Uint8Array.of(0x20, 2, 0, 0)));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const scanning = scan({ url: `127.0.0.1:${typeof address === "object" ? address?.port : ""}` });
    while (asked < 2) await settle();
    stop.abort();
    await scanning;
    server.close();
    expect(found).toEqual([]);
  });

  it.each<[Record<string, string>, string]>([
    [{}, "USAGE"],
    [{ url: "http://x" }, "USAGE"],
    [{ url: "mqtt://x", seconds: "never" }, "USAGE"],
    [{ url: "mqtt://127.0.0.1:1" }, "LINK_REFUSED"],
    [{ url: "mqtt://127.0.0.1:1", ca: "/nowhere/ca.pem" }, "LINK_CERTIFICATE"],
  ])("refuses %o with %s", async (values, code) => {
    await expect(scan(values)).rejects.toMatchObject({ code });
  });
});
