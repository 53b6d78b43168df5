import { expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { Rig } from "./rig.js";

const { seed } = random();
const PATH = "/3300/0/5700";

function total(rig: Rig): Promise<string> {
  return rig.during(rig.server.ask("GET", PATH, { accept: 0 }));
}

async function counted(rig: Rig, pulses: number): Promise<string> {
  rig.plant.set("gate", "pulses", pulses);
  await rig.run(5000);
  return total(rig);
}

it.each(["stopped", "cut from power"])(
  `a counter goes on where it was when the gateway was %s (seed ${seed})`,
  async (how) => {
    await using rig = new Rig({ seed, devices: [{ name: "gate", profile: "counter" }], servers: [[PATH]] });
    rig.plant.set("gate", "pulses", 65_000);
    await rig.start();
    await rig.run(10_000);
    expect(await counted(rig, 100)).toBe("2.05 65636");
    expect(await counted(rig, 40_000)).toBe("2.05 105536");
    await rig.run(65_000);
    const left = how === "stopped" ? rig.folder : await rig.copyState();
    rig.server.presence = how === "stopped" ? "there" : "silent";
    await rig.stop();
    rig.plant.set("gate", "pulses", 200);
    await rig.start(left);
    rig.server.presence = "there";
    await rig.run(60_000);
    expect(await total(rig)).toBe("2.05 131272");
    expect(rig.messages("counter rolled over")).toHaveLength(2);
  },
);
