import { beforeEach, describe, expect, it } from "vitest";
import { modbus } from "../../../adapters/modbus/index.js";
import { type LineFault, type LineStation, SimulatedLine } from "../../../adapters/modbus/line-simulator.js";
import type { ModbusLinkOptions, ModbusPoint } from "../../../adapters/modbus/options.js";
import { serialSettings } from "../../../adapters/modbus/options.js";
import { PduCodec } from "../../../adapters/modbus/pdu.js";
import { passesOf, scanTool } from "../../../adapters/modbus/scan.js";
import { type FaultPlan, ModbusSimulator } from "../../../adapters/modbus/simulator.js";
import { SlaveUnit } from "../../../adapters/modbus/slave.js";
import { timingOf } from "../../../adapters/modbus/timing.js";
import { settingsOf } from "../../../adapters/modbus/tool-options.js";
import { systemClock } from "../../../src/base/clock.js";
import { silentLog } from "../../../src/base/log.js";
import type { Finding, ProfileCandidate, ToolContext } from "../../../src/field/tool.js";
import { FakeClock } from "../../fakes/clock.js";
import { modbusPoint } from "./points.js";

// Loading takes real time, during which the clock of a test would run away.
await PduCodec.load();

const forever = new AbortController().signal;

function settingsName(options: ModbusLinkOptions): string {
  const { baudRate, parity } = serialSettings(options);
  return `${baudRate} ${parity}`;
}

function station(settings: string, latencyMs = 20): LineStation {
  const unit = new SlaveUnit();
  for (let register = 0; register < 10; register++) unit.set("holding", register, 100 + register);
  return { unit, settings, latencyMs };
}

const at = (register: number) => modbusPoint(`p${register}`, "holding", register, { type: "uint16" });
const within = (register: number, min: number, max: number) => ({
  point: at(register),
  holds: (value: unknown) => Number(value) >= min && Number(value) <= max,
});
const PROFILES: readonly ProfileCandidate<ModbusPoint>[] = [
  { name: "other", title: "", traits: {}, points: [], probe: [within(3, 0, 5)], plausible: [] },
  { name: "known", title: "", traits: {}, points: [], probe: [within(3, 103, 103)], plausible: [] },
  {
    name: "similar",
    title: "",
    traits: {},
    points: [],
    probe: [],
    plausible: [within(0, 90, 110), within(1, 90, 110), within(2, 90, 110), within(50, 0, 1)],
  },
  { name: "far", title: "", traits: {}, points: [], probe: [], plausible: [within(0, 1, 2), within(1, 1, 2)] },
];

describe("scanning a serial line", () => {
  let clock: FakeClock;
  let stations: Map<number, LineStation>;
  let fault: ((unit: number) => LineFault | undefined) | undefined;
  let echo: "yes" | "no";
  let rows: Finding[];
  let progress: string[];
  let opened: string[];

  beforeEach(() => {
    clock = new FakeClock();
    stations = new Map();
    fault = undefined;
    echo = "no";
    rows = [];
    progress = [];
    opened = [];
  });

  const context = (profiles: readonly ProfileCandidate<ModbusPoint>[] = []): ToolContext<ModbusPoint> => ({
    clock,
    log: silentLog,
    profiles,
    found: (...findings) => void rows.push(...findings),
    progress: (text) => progress.push(text),
  });

  const tool = scanTool(async (options) => {
    opened.push(settingsName(options));
    const { characterMs } = timingOf(options);
    const settings = settingsName(options);
    return new SimulatedLine({
      framing: "rtu",
      settings,
      characterMs,
      clock,
      stations,
      echo,
      ...(fault ? { fault } : {}),
    });
  });

  async function scan(
    values: Record<string, string | boolean>,
    profiles: readonly ProfileCandidate<ModbusPoint>[] = [],
    signal = forever,
  ): Promise<number> {
    const startedMs = clock.monotonicMs();
    let endedMs: number | undefined;
    const args = { values: { port: "p", ...values }, positionals: [] };
    const work = tool.run(args, context(profiles), signal).finally(() => {
      endedMs = clock.monotonicMs();
    });
    work.catch(() => undefined);
    while (endedMs === undefined && clock.monotonicMs() - startedMs < 3_600_000) await clock.advance(100);
    await work;
    return (endedMs ?? Number.NaN) - startedMs;
  }

  it("asks all of 247 units at 9600 Bd within 40 s, the time on the wire included", async () => {
    stations.set(113, station("9600 none"));
    expect(await scan({ baud: "9600", parity: "none" })).toBeLessThan(40_000);
    expect(rows).toMatchObject([{ unit: 113, settings: "9600 8N1" }]);
    expect(progress[0]).toMatch(/^9600 8N1: unit 1, at most 3\d s left$/);
  });

  it("tries likely units at all settings first, and the others where it found one", async () => {
    stations.set(1, station("19200 even"));
    stations.set(77, station("19200 even"));
    stations.set(5, station("115200 none"));
    stations.set(88, station("9600 none"));
    await scan({});
    expect(rows.map(({ unit, settings }) => `${unit} at ${settings}`)).toEqual([
      "1 at 19200 8E1",
      "5 at 115200 8N1",
      "77 at 19200 8E1",
    ]);
    expect(opened).toHaveLength(8 + 2);
    expect(opened.slice(8)).toEqual(["19200 even", "115200 none"]);
  });

  it("asks all units at all settings when told, or when it found none", async () => {
    stations.set(1, station("9600 none"));
    stations.set(88, station("115200 none"));
    await scan({ all: true, ids: "1-10,88" });
    const both = rows.map(({ unit, settings }) => `${unit} at ${settings}`);
    expect(both).toEqual(["1 at 9600 8N1", "88 at 115200 8N1"]);
    expect(opened).toHaveLength(8 + 8);
    stations.delete(1);
    rows.length = 0;
    await scan({ ids: "1-10,88" });
    expect(rows).toMatchObject([{ unit: 88, settings: "115200 8N1" }]);
  });

  it("counts refusals and damaged answers, and units that answer late", async () => {
    stations.set(2, { ...station("9600 none"), unit: new SlaveUnit() });
    stations.set(4, station("9600 none"));
    stations.set(6, station("9600 none", 190));
    fault = (unit) => (unit === 4 ? { kind: "bad-checksum" } : undefined);
    await scan({ baud: "9600", parity: "none", ids: "1-12" });
    expect(rows).toMatchObject([
      { unit: 2, note: "refuses holding register 0: exception 2, illegal data address" },
      { unit: 4, note: expect.stringMatching(/damaged/) },
      { unit: 6 },
    ]);
  });

  it("waits longer for slow devices when told", async () => {
    stations.set(2, station("9600 none", 700));
    await scan({ baud: "9600", parity: "none", ids: "2" });
    expect(rows).toEqual([]);
    await scan({ baud: "9600", parity: "none", ids: "2", timeout: "1000" });
    expect(rows).toMatchObject([{ unit: 2 }]);
  });

  it("does not take its own echo, or a single noise, for a device", async () => {
    echo = "yes";
    stations.set(3, station("9600 none"));
    await scan({ baud: "9600", parity: "none", ids: "1-6" });
    expect(rows.map(({ unit }) => unit)).toEqual([3]);
  });

  it("tells who a device is, and which profiles fit, the surest first", async () => {
    const known = station("9600 none");
    known.unit.identity = ["Eastron", "SDM630", "1.2"];
    stations.set(1, known);
    await scan({ baud: "9600", parity: "none", ids: "1" }, PROFILES);
    expect(rows).toEqual([
      {
        unit: 1,
        settings: "9600 8N1",
        vendor: "Eastron",
        product: "SDM630",
        revision: "1.2",
        profiles: ["known (identified)", "similar (3 of 4 values plausible)"],
        note: undefined,
      },
    ]);
  });

  it("says so when no profile fits", async () => {
    stations.set(1, { ...station("9600 none"), unit: new SlaveUnit() });
    await scan({ baud: "9600", parity: "none", ids: "1" }, PROFILES);
    expect(rows).toMatchObject([{ profiles: [], note: expect.stringMatching(/^refuses .*; no profile fits/) }]);
  });

  it("ends when the port is unplugged, and says so", async () => {
    stations.set(4, station("9600 none"));
    fault = () => ({ kind: "lost" });
    await expect(scan({ baud: "9600", parity: "none" })).rejects.toMatchObject({ code: "LINK_FAILED" });
    expect(progress.at(-1)).toMatch(/^9600 8N1: unit 4,/);
  });

  it("ends with the signal, which is no error", async () => {
    const abort = new AbortController();
    const work = tool.run({ values: { port: "p" }, positionals: [] }, context(), abort.signal);
    await clock.advance(1000);
    abort.abort(new Error("enough"));
    await work;
    expect(clock.pendingCount).toBe(0);
  });

  it("plans passes: likely units first", () => {
    expect(passesOf([1, 2, 60], [{ baudRate: 9600 }, { baudRate: 19200 }])).toEqual([
      { are: "likely", settings: { baudRate: 9600 }, ids: [1, 2] },
      { are: "likely", settings: { baudRate: 19200 }, ids: [1, 2] },
      { are: "other", settings: { baudRate: 9600 }, ids: [60] },
      { are: "other", settings: { baudRate: 19200 }, ids: [60] },
    ]);
  });
});

describe("settings of a line that are tried, the likeliest first", () => {
  it.each<[ModbusLinkOptions["transport"], Record<string, string>, readonly string[]]>([
    ["rtu", { baud: "1200" }, ["1200 none", "1200 even"]],
    ["ascii", { baud: "1200" }, ["1200 even", "1200 none"]],
    ["ascii", { baud: "1200", parity: "n" }, ["1200 none"]],
    ["tcp", {}, []],
  ])("%s with %o", (transport, values, settings) => {
    const given = settingsOf({ values, positionals: [] }, { transport });
    expect(given.map(({ baudRate, parity }) => `${baudRate} ${parity}`)).toEqual(settings);
  });

  it("begin with what most devices are delivered with", () => {
    const first = (transport: "rtu" | "ascii") => settingsOf({ values: {}, positionals: [] }, { transport })[0];
    expect(first("rtu")).toEqual({ baudRate: 9600, parity: "none" });
    expect(first("ascii")).toEqual({ baudRate: 9600, parity: "even" });
  });
});

describe("on the network", () => {
  const simulated = (unit: number) => ({
    station: { name: `d${unit}`, address: { unit }, traits: {} },
    points: [at(0), at(1), at(2), at(3)],
  });

  async function run(
    name: "scan" | "read",
    values: Record<string, string>,
    positionals: string[] = [],
    faultPlan: FaultPlan = () => undefined,
  ) {
    await using simulator = new ModbusSimulator([simulated(1), simulated(3)], systemClock);
    simulator.misbehave(faultPlan);
    await simulator.listen(0);
    simulator.set("d1", "p0", 2301);
    const rows: Finding[] = [];
    const context: ToolContext<ModbusPoint> = {
      clock: systemClock,
      log: silentLog,
      profiles: [],
      found: (...findings) => void rows.push(...findings),
      progress: () => undefined,
    };
    const args = {
      values: { host: "127.0.0.1", port: String(simulator.link.port), timeout: "50", ...values },
      positionals,
    };
    await (await modbus[name]?.())?.run(args, context, forever);
    return rows;
  }

  it("finds units behind a gateway", async () => {
    expect((await run("scan", { ids: "1-4" })).map(({ unit }) => unit)).toEqual([1, 3]);
  });

  it("finds units of a device that hangs up when it is asked for others", async () => {
    const hangsUp: FaultPlan = (unit) => (unit === 3 ? undefined : { kind: "close" });
    expect((await run("scan", { ids: "1-4" }, [], hangsUp)).map(({ unit }) => unit)).toEqual([3]);
  });

  it("tells of what is there and is no Modbus device", async () => {
    const scanned = run("scan", { ids: "1,3" }, [], () => ({ kind: "garbled" }));
    const message = expect.stringMatching(/^what came is not Modbus TCP: [0-9a-f]+$/);
    await expect(scanned).rejects.toMatchObject({ code: "LINK_FAILED", message });
  });

  it("tells of the refusal of a device that hangs up at the next question", async () => {
    let asked = 0;
    const refused = run("read", {}, ["0x100"], () => (asked++ === 0 ? undefined : { kind: "close" }));
    await expect(refused).rejects.toMatchObject({ message: expect.stringMatching(/^unit 1 refuses holding 256/) });
  });

  it("reads registers and marks what is plausible", async () => {
    const rows = await run("read", { table: "holding" }, ["0", "2"]);
    expect(rows).toContainEqual({ register: 0, hex: "0x0000", as: "uint16", value: "2301", plausible: true });
  });

  it.each([
    [["0x100"], /^unit 1 refuses holding 256 to 257: exception 2, illegal data address, and so the other table/],
    [["40002", "1"], /it does answer --table holding 1 1: 40002 of such a manual is register 1\)$/],
    [["0", "10"], /refuses holding 0 to 9: .*it does answer --table holding 0 2: 10 at once are too many/],
    [["4", "1"], /it does answer --table holding 3 1: the manual may count from 1/],
  ])("tells of a refused read what would not be: %j", async (positionals, message) => {
    await expect(run("read", {}, positionals)).rejects.toMatchObject({
      code: "FIELD_EXCEPTION",
      message: expect.stringMatching(message),
    });
  });
});
