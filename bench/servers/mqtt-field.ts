/** The field side of a gateway with 100 MQTT stations of three points each. */
import { mqtt } from "../../adapters/mqtt/index.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import { openField } from "../../src/field/field.js";
import { defineAdapter } from "../../src/field/index.js";
import { STATIONS, tellCount, topicOf } from "./mqtt-site.js";

const scope = new Scope((error) => {
  throw error;
});
let messages = 0;
tellCount(() => messages);
await openField(
  {
    links: [{ name: "broker", adapter: "mqtt", options: { host: "127.0.0.1", port: Number(process.argv[2]) } }],
    devices: Array.from({ length: STATIONS }, (_, station) => ({
      name: `device${station}`,
      link: "broker",
      address: new Map([["topic", topicOf(station)]]),
      traits: {},
      points: ["temperature", "humidity", "battery"].map((name) => ({
        name,
        access: "r" as const,
        pollClass: "normal" as const,
        address: { at: { topic: "{topic}", json: name }, type: "number" },
      })),
      poll: { fastMs: 1000, normalMs: 10_000, slowMs: 60_000 },
    })),
    loadAdapter: () => Promise.resolve(defineAdapter(mqtt)),
    clock: systemClock,
    log: silentLog,
    onReadings: (_, readings) => {
      if (readings.length === 3) messages++;
    },
  },
  scope,
);
