import { expect, it } from "vitest";
import { type LineStation, SimulatedLine } from "../../../adapters/modbus/line-simulator.js";
import { type ModbusLinkOptions, type ModbusPoint, serialSettings } from "../../../adapters/modbus/options.js";
import { PduCodec } from "../../../adapters/modbus/pdu.js";
import { scanTool } from "../../../adapters/modbus/scan.js";
import { SimulatedStations } from "../../../adapters/modbus/simulated-stations.js";
import { timingOf } from "../../../adapters/modbus/timing.js";
import { silentLog } from "../../../src/base/log.js";
import { mappingContext } from "../../../src/config/read.js";
import type { Finding, ProfileCandidate } from "../../../src/field/tool.js";
import { profileCandidate } from "../../../src/mapping/candidate.js";
import { ProfileShelf, shippedMappings } from "../../../src/mapping/profiles.js";
import { FakeClock } from "../../fakes/clock.js";

// Loading takes real time, during which the clock of a test would run away.
await PduCodec.load();
const profiles = await modbusProfiles();

async function modbusProfiles(): Promise<readonly ProfileCandidate<ModbusPoint>[]> {
  const { adapters, models } = await mappingContext();
  await adapters.load(["modbus"]);
  const shelf = await ProfileShelf.open([shippedMappings()], adapters, models);
  const candidates: ProfileCandidate<ModbusPoint>[] = [];
  for (const name of shelf.names) {
    const profile = shelf.adapterOf(name) === "modbus" ? (await shelf.read(name))?.profile : undefined;
    if (profile !== undefined) candidates.push(profileCandidate(profile) as ProfileCandidate<ModbusPoint>);
  }
  return candidates;
}

const FINDER: Readonly<Record<string, number>> = {
  voltageL1: 231.4,
  frequency: 49.98,
  power: 1353.9,
  powerFactor: 0.963,
  energy: 18_264_310,
};
const KELLER: Readonly<Record<string, number>> = {
  pressure1: 2.4137,
  pressure2: Number.NaN,
  temperature: Number.NaN,
  temperatureTob1: 21.62,
  temperatureTob2: Number.NaN,
};
/** The first word of a float32 that is no number. */
const NAN_WORD = 0x7fc0;
const XY_MD02: Readonly<Record<string, number>> = { temperature: 215, humidity: 400 };

/** A device of this profile with these raw values. */
function device(profile: string, values: Readonly<Record<string, number>>, settings: string): LineStation {
  const candidate = profiles.find(({ name }) => name === profile);
  if (candidate === undefined) throw new Error(`no profile ${profile}`);
  const { traits, points } = candidate;
  const stations = new SimulatedStations([{ station: { name: "d", address: { unit: 1 }, traits }, points }]);
  const unit = stations.unit(1);
  if (unit === undefined) throw new Error("no unit 1");
  for (const [name, value] of Object.entries(values)) {
    const at = points.find((point) => point.name === name)?.address.at;
    if (Number.isFinite(value)) stations.set("d", name, value);
    else if (at !== undefined) unit.set(at.table, at.register, NAN_WORD);
  }
  return { unit, settings, latencyMs: 30 };
}

function settingsName(options: ModbusLinkOptions): string {
  const { baudRate, dataBits, parity, stopBits } = serialSettings(options);
  return `${baudRate} ${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}`;
}

async function scan(stations: ReadonlyMap<number, LineStation>, values: Record<string, string>) {
  const clock = new FakeClock();
  const rows: Finding[] = [];
  const tool = scanTool(async (options) => {
    const settings = settingsName(options);
    return new SimulatedLine({
      framing: "rtu",
      settings,
      characterMs: timingOf(options).characterMs,
      clock,
      stations,
    });
  });
  const context = {
    clock,
    log: silentLog,
    profiles,
    found: (...findings: readonly Finding[]) => void rows.push(...findings),
    progress: () => undefined,
  };
  let endedMs: number | undefined;
  const work = tool.run({ values: { port: "p", ...values }, positionals: [] }, context, new AbortController().signal);
  void work.finally(() => {
    endedMs = clock.monotonicMs();
  });
  while (endedMs === undefined && clock.monotonicMs() < 3_600_000) await clock.advance(50);
  await work;
  const found = rows.map(({ unit, settings, profiles: fits }) => [unit, settings, Array.isArray(fits) ? fits[0] : ""]);
  return { found, tookMs: endedMs ?? Number.POSITIVE_INFINITY };
}

it("finds three devices of different settings on one line, and names their profiles", async () => {
  const { found, tookMs } = await scan(
    new Map([
      [7, device("finder-7m", FINDER, "9600 8N1")],
      [3, device("keller-30x", KELLER, "19200 8E1")],
      [11, device("xy-md02", XY_MD02, "9600 8E1")],
    ]),
    {},
  );
  expect(found).toEqual([
    [7, "9600 8N1", expect.stringMatching(/^finder-7m \(\d of \d values plausible\)$/)],
    [11, "9600 8E1", expect.stringMatching(/^xy-md02 /)],
    [3, "19200 8E1", expect.stringMatching(/^keller-30x /)],
  ]);
  expect(tookMs).toBeLessThan(180_000);
});

it("takes at most 40 s for all units at one setting of 9600 Bd, with a device and its profile", async () => {
  const stations = new Map([[113, device("finder-7m", FINDER, "9600 8N1")]]);
  const { found, tookMs } = await scan(stations, { baud: "9600", parity: "none" });
  expect(found).toEqual([[113, "9600 8N1", expect.stringMatching(/^finder-7m /)]]);
  expect(tookMs).toBeLessThan(40_000);
});
