import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { modbus } from "../../adapters/modbus/index.js";
import type { ModbusPoint } from "../../adapters/modbus/options.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { runCli } from "../../src/cli/cli.js";
import { mappingContext } from "../../src/config/read.js";
import type { Point } from "../../src/field/adapter.js";
import { ProfileShelf, readProfileFile, shippedMappings } from "../../src/mapping/profiles.js";

type Simulated = Awaited<ReturnType<NonNullable<typeof modbus.simulate>>>;

const SERIAL_NUMBER = `profile: id
title: A serial number
adapter: modbus
addressBase: 0
points: { serialNumber: { at: { table: input, register: 0 }, type: uint64 } }
objects: []
`;

async function context() {
  const { adapters, models } = await mappingContext();
  await adapters.load(["modbus"]);
  return [adapters, models] as const;
}

async function simulate(stations: Parameters<NonNullable<typeof modbus.simulate>>[1]): Promise<Simulated> {
  if (modbus.simulate === undefined) throw new Error("modbus is not simulated");
  const secret = (text: string): Promise<string> => Promise.resolve(text);
  const own = { name: "simulation", clock: systemClock, log: silentLog, secret };
  return await modbus.simulate({ transport: "tcp", host: "127.0.0.1", port: 0 }, stations, own);
}

let simulated: Simulated;
beforeEach(async () => {
  const profile = (await (await ProfileShelf.open([shippedMappings()], ...(await context()))).read("xy-md02"))?.profile;
  if (profile === undefined) throw new Error("there is no xy-md02");
  const points = [...profile.points.values()].map(({ point }) => point as Point<ModbusPoint>);
  simulated = await simulate([{ station: { name: "sensor", address: { unit: 3 }, traits: profile.traits }, points }]);
  simulated.set("sensor", "temperature", 215);
  simulated.set("sensor", "humidity", 400);
});
afterEach(() => simulated[Symbol.asyncDispose]());

async function test(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  return await cli(simulated, "test", "-m", "xy-md02", ...words);
}

async function cli({ link: { port } }: Simulated, ...words: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const link = `{ transport: tcp, host: 127.0.0.1, port: ${port}, responseTimeout: 500ms }`;
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

  it("tells 64-bit numbers as text in JSON, which has no such numbers", async () => {
    const folder = await mkdtemp(join(tmpdir(), "causeway-"));
    const mapping = join(folder, "id.yaml");
    await writeFile(mapping, SERIAL_NUMBER);
    const { profile } = await readProfileFile(mapping, ...(await context()));
    const points = [...(profile?.points.values() ?? [])].map(({ point }) => point as Point<ModbusPoint>);
    await using device = await simulate([{ station: { name: "id", address: { unit: 4 }, traits: {} }, points }]);
    device.set("id", "serialNumber", 2n ** 63n + 1n);
    const { code, out } = await cli(device, "test", "-m", mapping, "--station", "{ unit: 4 }", "--json");
    await rm(folder, { recursive: true });
    expect(code).toBe(0);
    expect(JSON.parse(out)[0].points).toMatchObject([{ value: "9223372036854775809", raw: "9223372036854775809" }]);
  });

  it("takes a number of seconds", async () => {
    expect(await test("--station", "{ unit: 3 }", "--seconds", "soon")).toMatchObject({ code: 2 });
  });
});

describe("causeway profiles match", () => {
  it("tells how much of what each profile expects holds at a device, and what does not", async () => {
    const { code, out } = await cli(simulated, "profiles", "match", "modbus", "--station", "{ unit: 3 }");
    const [header, first] = out.split("\n");
    expect({ code, header }).toEqual({ code: 0, header: expect.stringMatching(/^PROFILE +HOLDS +BY +BUT +TITLE$/) });
    expect(first).toMatch(/^xy-md02 +2 of 2 +verify /);
    simulated.set("sensor", "humidity", 0);
    const json = JSON.parse(
      (await cli(simulated, "profiles", "match", "modbus", "--station", "{ unit: 3 }", "--json")).out,
    );
    expect(json).toContainEqual(
      expect.objectContaining({ profile: "xy-md02", holds: 1, asked: 2, but: "humidity: 0 before scaling" }),
    );
  });

  it("says soon that nobody is there", async () => {
    const { code, err } = await cli(simulated, "profiles", "match", "modbus", "--station", "{ unit: 9 }");
    expect(code).toBe(1);
    expect(err).toMatch(/^FIELD_TIMEOUT: /);
  });
});
