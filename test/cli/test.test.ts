import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { modbus } from "../../adapters/modbus/index.js";
import type { ModbusPoint } from "../../adapters/modbus/options.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { runCli } from "../../src/cli/cli.js";
import { mappingContext } from "../../src/config/read.js";
import type { Point } from "../../src/field/adapter.js";
import type { SimulatedField } from "../../src/field/index.js";
import { ProfileShelf, shippedMappings } from "../../src/mapping/profiles.js";

type Simulated = Awaited<ReturnType<NonNullable<typeof modbus.simulate>>>;

let simulated: Simulated & SimulatedField<{ readonly port?: number | string }>;
beforeEach(async () => {
  const { adapters, models } = await mappingContext();
  const profile = (await (await ProfileShelf.open([shippedMappings()], adapters, models)).read("xy-md02"))?.profile;
  if (profile === undefined || modbus.simulate === undefined) throw new Error("xy-md02 cannot be simulated");
  const points = [...profile.points.values()].map(({ point }) => point as Point<ModbusPoint>);
  const station = { name: "sensor", address: { unit: 3 }, traits: profile.traits };
  const secret = (text: string): Promise<string> => Promise.resolve(text);
  const context = { name: "simulation", clock: systemClock, log: silentLog, secret };
  simulated = await modbus.simulate({ transport: "tcp", host: "127.0.0.1", port: 0 }, [{ station, points }], context);
  simulated.set("sensor", "temperature", 215);
  simulated.set("sensor", "humidity", 400);
});
afterEach(() => simulated[Symbol.asyncDispose]());

async function test(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  return await cli("test", "-m", "xy-md02", ...words);
}

async function cli(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const link = `{ transport: tcp, host: 127.0.0.1, port: ${simulated.link.port}, responseTimeout: 500ms }`;
  const code = await runCli([...words, "--link", link], {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    terminal: "pipe",
    environment: {},
    signal: new AbortController().signal,
    onReload: () => undefined,
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

describe("causeway test", () => {
  it("shows each point from the register to the resource", async () => {
    const { code, out } = await test("--station", "{ unit: 3 }", "--trace");
    const [head, , temperature, humidity, ...frames] = out.split("\n");
    expect({ code, head }).toEqual({ code: 0, head: "device: 2 of 2 points are good" });
    expect(temperature).toMatch(/^temperature +215 +21\.5 +Cel +good +\/3303\/0\/5700$/);
    expect(humidity).toMatch(/^humidity +400 +40 +%RH +good +\/3304\/0\/5700$/);
    expect(frames.join("\n")).toMatch(/ -> .{20,}\n[0-9:.]+ <- 00 /);
  });

  it("tells a value that is not what it usually is, and exits 3", async () => {
    simulated.set("sensor", "temperature", 700);
    const { code, out } = await test("--station", "{ unit: 3 }");
    expect(code).toBe(3);
    expect(out).toMatch(/\ntemperature +700 +70 +Cel +good .* not within -20 to 60, where it usually is\n/);
  });

  it("says why there is none, without waiting for what will not come", async () => {
    const { code, out } = await test("--station", "{ unit: 9 }", "--seconds", "20", "--json");
    expect(code).toBe(3);
    const [{ points }] = JSON.parse(out);
    expect(points).toMatchObject([{ quality: "timeout", verdict: "bad" }, { quality: "timeout" }]);
  });

  it("does not wait for what cannot come: no link is up", async () => {
    await simulated[Symbol.asyncDispose]();
    const { code, out, err } = await test("--station", "{ unit: 3 }", "--seconds", "3600");
    expect(code).toBe(3);
    expect(out).toMatch(/^device: 0 of 2 points are good\n/);
    expect(err).toMatch(/^warn: field link down: LINK_REFUSED: .*nothing listens on this port.*\n {2}Check address/);
  });

  it("takes a number of seconds", async () => {
    expect(await test("--station", "{ unit: 3 }", "--seconds", "soon")).toMatchObject({ code: 2 });
  });
});

describe("causeway profiles match", () => {
  it("tells how much of what each profile expects holds at a device, and what does not", async () => {
    const { code, out } = await cli("profiles", "match", "modbus", "--station", "{ unit: 3 }");
    const [header, first] = out.split("\n");
    expect({ code, header }).toEqual({ code: 0, header: expect.stringMatching(/^PROFILE +HOLDS +BY +BUT +TITLE$/) });
    expect(first).toMatch(/^xy-md02 +2 of 2 +verify /);
    simulated.set("sensor", "humidity", 0);
    const json = JSON.parse((await cli("profiles", "match", "modbus", "--station", "{ unit: 3 }", "--json")).out);
    expect(json).toContainEqual(
      expect.objectContaining({ profile: "xy-md02", holds: 1, asked: 2, but: "humidity: 0 before scaling" }),
    );
  });

  it("says soon that nobody is there", async () => {
    const { code, err } = await cli("profiles", "match", "modbus", "--station", "{ unit: 9 }");
    expect(code).toBe(1);
    expect(err).toMatch(/^FIELD_TIMEOUT: /);
  });
});
