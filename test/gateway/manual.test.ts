import { expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { Rig, type RigDevice } from "./rig.js";

const { seed } = random();
const [PRESSURE, SETPOINT] = ["/3315/0/5700", "/3308/0/5900"];
const VALVE: RigDevice = { name: "valve", profile: "valve" };

it(`a value set by hand stands in the place of a broken sensor's until it is taken away (seed ${seed})`, async () => {
  const manual = { pressure: 3.5, setpoint: 20 };
  await using rig = new Rig({ seed, devices: [{ ...VALVE, manual }], servers: [[PRESSURE, SETPOINT]] });
  const read = (path: string) => rig.during(rig.server.ask("GET", path, { accept: 0 }));
  const quality = async () =>
    (await rig.gateway.status()).points.get("valve")?.map((point) => [point.name, point.quality, point.value]);
  rig.plant.set("valve", "pressure", 400);
  rig.plant.set("valve", "setpoint", 300);
  await rig.start();
  await rig.run(10_000);
  expect(await read(PRESSURE)).toBe("2.05 3.5");
  expect(await read(SETPOINT), "in the unit of the profile").toBe("2.05 20");
  expect(await quality()).toEqual([
    ["pressure", "manual", 3.5],
    ["setpoint", "manual", 20],
  ]);
  expect(rig.plant.served).toEqual([]);
  expect(await rig.during(rig.server.ask("PUT", SETPOINT, { payload: "25" }))).toBe("4.05");
  await rig.stop();
  await rig.configure(rig.folder, [VALVE]);
  await rig.start(rig.folder);
  await rig.run(10_000);
  expect([await read(PRESSURE), await read(SETPOINT)]).toEqual(["2.05 400", "2.05 30"]);
});
