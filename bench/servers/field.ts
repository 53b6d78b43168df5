/** A Modbus TCP field of many meters in one process. `DEVICES POINTS`; prints the link's options as JSON. */
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { loadAdapter } from "../../src/field/load-adapter.js";

const CHANGE_EVERY_MS = 1000;
const [devices = 0, points = 0] = process.argv.slice(2).map(Number);
const adapter = await loadAdapter("modbus");
const pointList = Array.from({ length: points }, (_, index) => ({
  name: `p${index}`,
  access: "r" as const,
  pollClass: "fast" as const,
  address: { at: { table: "input", register: 2 * index }, type: "float32" },
}));
const stations = Array.from({ length: devices }, (_, index) => ({
  station: { name: `m${index}`, address: { unit: index + 1 }, traits: { addressBase: 0 as const } },
  points: pointList,
}));
const context = { name: "bench", clock: systemClock, log: silentLog, secret: (text: string) => Promise.resolve(text) };
const field = await adapter.simulate?.({ transport: "tcp", host: "127.0.0.1", port: 0 }, stations, context);
if (field === undefined) throw new Error("the adapter cannot simulate");

let step = 0;
const change = (): void => {
  step++;
  for (const { station } of stations) {
    for (const [index, { name }] of pointList.entries()) field.set(station.name, name, index + (step % 100) / 8);
  }
  systemClock.schedule(CHANGE_EVERY_MS, change);
};
change();
console.log(JSON.stringify(field.link));
