import { setMaxListeners } from "node:events";
import { abortable, sleep, systemClock } from "../base/clock.js";
import { Deadline } from "../base/deadline.js";
import { CausewayError } from "../base/errors.js";
import { Scope } from "../base/scope.js";
import type { ConfiguredDevice, GatewayConfig } from "../config/config.js";
import { type FieldStatus, openField } from "../field/field.js";
import { columns } from "./columns.js";
import { type Command, EXIT, type Io, text } from "./command.js";
import { DeviceTrial, type PointTrial, scalarText } from "./device-trial.js";
import { chosenDevices, FIELD_OPTIONS, readFieldConfig } from "./field-config.js";
import { frameText } from "./frame-text.js";
import { plainLog } from "./plain-log.js";

const DEFAULT_SECONDS = 30;
const LOOK_MS = 100;

export const test: Command = {
  name: "test",
  synopsis: "-c FILE [DEVICE …] | -m MAPPING --link '{…}' --station '{…}'",
  summary: "Reads each point of the devices once: what came, what it means, where it goes, whether it is plausible.",
  options: {
    ...FIELD_OPTIONS,
    seconds: {
      type: "string",
      value: "N",
      summary: `how long to wait for all values; ${DEFAULT_SECONDS} unless given`,
    },
    trace: { type: "boolean", summary: "shows the frames, too" },
    json: { type: "boolean", summary: "prints JSON" },
  },
  positionals: "some",
  async run(args, io) {
    const config = await readFieldConfig(args, io);
    if (config === undefined) return EXIT.badConfiguration;
    const devices = chosenDevices(config, args.positionals);
    const { trials, frames } = await tryOut(config, devices, secondsOf(text(args, "seconds")), io);
    if (io.signal.aborted) io.err("stopped before the end");
    if (args.values["json"] === true) io.out(JSON.stringify(trials.map((trial) => trial.result())));
    else io.out(trials.map((trial) => trialText(trial).join("\n")).join("\n\n"));
    if (args.values["trace"] === true) for (const frame of frames) io.out(frame);
    return trials.every((trial) => trial.isGood()) ? EXIT.good : EXIT.pointFailed;
  },
};

function secondsOf(words: string | undefined): number {
  const seconds = words === undefined ? DEFAULT_SECONDS : Number(words);
  if (seconds > 0 && seconds <= 3600) return seconds;
  throw new CausewayError("USAGE", `--seconds is a number up to 3600, not '${words}'`);
}

/** Reads what can be read, and hears what is told until everything was or the time is over. */
async function tryOut(config: GatewayConfig, devices: readonly ConfiguredDevice[], seconds: number, io: Io) {
  const log = plainLog(io);
  await using scope = new Scope((error) => log.error("a part of the test failed", { error }));
  const trials = new Map(devices.map((device) => [device.field.name, new DeviceTrial(device, config)]));
  for (const trial of trials.values()) scope.defer(() => trial[Symbol.dispose]());
  const used = new Set(devices.map(({ field }) => field.link));
  const field = await openField(
    {
      links: config.links.filter(({ name }) => used.has(name)),
      devices: devices.map((device) => device.field),
      loadAdapter: (name) => mustGet(config, name),
      clock: systemClock,
      log,
      environment: io.environment,
      onReadings: (device, readings) => trials.get(device)?.accept(readings),
    },
    scope,
  );
  using deadline = new Deadline(systemClock, 1000 * seconds, io.signal);
  const { signal } = deadline;
  // Each device listens once.
  setMaxListeners(0, signal);
  const all = [...trials.values()];
  try {
    await Promise.all(all.map(async (trial) => trial.accept(await abortable(field.read(trial.name, signal), signal))));
    for (let missing = missingOf(all); missing.length > 0 && !isCutOff(field.status()); missing = missingOf(all)) {
      io.progress?.(`waiting for ${missing.join(" ")}`);
      await sleep(systemClock, LOOK_MS, signal);
    }
  } catch (error) {
    // What has not come by then is told as missing.
    if (!signal.aborted) throw error;
  } finally {
    io.progress?.("");
  }
  return { trials: all, frames: field.status().buses.flatMap(({ trace }) => trace.map((frame) => frameText(frame))) };
}

/** Whether no link could be opened: then nothing will come. */
function isCutOff({ buses }: FieldStatus): boolean {
  return buses.every(({ state }) => state === "down");
}

function missingOf(trials: readonly DeviceTrial[]): readonly string[] {
  return trials.flatMap((trial) => trial.missing().map((point) => `${trial.name}.${point}`));
}

async function mustGet({ adapters }: GatewayConfig, name: string) {
  const adapter = adapters.get(name);
  if (adapter === undefined) throw new CausewayError("ADAPTER_UNKNOWN", `no adapter '${name}' is installed`);
  return adapter;
}

function trialText(trial: DeviceTrial): readonly string[] {
  const points = trial.result().points;
  const rows = points.map((point) => [
    point.point,
    point.raw ?? "",
    point.value === undefined ? "" : scalarText(point.value),
    point.unit ?? "",
    point.quality,
    point.paths.join(" "),
    noteOf(point),
  ]);
  const good = points.filter(({ verdict }) => verdict === "good").length;
  return [
    `${trial.name}: ${good} of ${points.length} points are good`,
    ...columns([["POINT", "RAW", "VALUE", "UNIT", "QUALITY", "RESOURCE", "NOTE"], ...rows]),
  ];
}

function noteOf({ reason, expected, verdict }: PointTrial): string {
  if (verdict === "implausible") return `not within ${expected?.join(" to ")}, where it usually is`;
  return reason ?? "";
}
