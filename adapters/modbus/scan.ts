import { CausewayError, type Clock, type FieldTool, type Line, type ToolContext } from "causeway/adapter";
import { asciiFraming } from "./ascii-framing.js";
import { exceptionText } from "./exception.js";
import { identify } from "./identification.js";
import { ModbusLink } from "./link.js";
import { openLine, openTransport, transportOn } from "./open-transport.js";
import { isAscii, isOnSerialLine, type ModbusLinkOptions, type ModbusPoint, serialSettings } from "./options.js";
import { PduCodec } from "./pdu.js";
import { type Heard, probeMs, probeTimeoutMs, SerialProber } from "./probe.js";
import { fittingProfiles } from "./profile-fit.js";
import { rtuFraming } from "./rtu-framing.js";
import { timingOf } from "./timing.js";
import { idsOf, LINE_OPTIONS, linkOf, settingsOf, usage } from "./tool-options.js";
import type { Transport } from "./transport.js";

type Context = ToolContext<ModbusPoint>;

/** Opens the line of a link; as `openLine`, for tests without hardware. */
export type LineOpener = (options: ModbusLinkOptions, clock: Clock, signal: AbortSignal) => Promise<Line>;

const ALL_IDS = "1-247";
/** What devices are delivered with, and what installers begin with. */
const LIKELY_IDS: readonly number[] = [...idsOf("1-16"), 20, 32, 50, 100, 126, 247];
/** Of a device on the network that is no gateway, and of the first ones behind a gateway. */
const NETWORK_IDS: readonly number[] = [1, 255, 0, ...idsOf("2-10")];
const NETWORK_TIMEOUT_MS = 1000;
const IDENTIFY_TIMEOUT_MS = 300;
const GATEWAY_SILENCE: readonly number[] = [10, 11];

/** `causeway scan modbus`. */
export function scanTool(open: LineOpener = openLine): FieldTool<ModbusPoint> {
  return {
    summary: "Looks for Modbus devices: any answer counts, also a refusal; tells who they are and which profiles fit.",
    whenNothing:
      "check power, on a serial line the wiring (A and B swapped?) and that no other master asks there; try --timeout 1000 for slow devices, --ids for other addresses",
    synopsis: "--port PATH|--host HOST [--baud LIST] [--parity LIST] [--ids 1-247]",
    options: {
      ...LINE_OPTIONS,
      ids: { type: "string", value: "LIST", summary: `e.g. 1-32,100; ${ALL_IDS} on a serial line unless given` },
      all: {
        type: "boolean",
        summary: "asks all units at all settings; else unlikely ones only where others were found",
      },
    },
    async run(args, context, signal) {
      const [surplus] = args.positionals;
      if (surplus !== undefined) throw usage(`what is '${surplus}'? A port is given as --port, an address as --host`);
      const link = linkOf(args);
      const ids = typeof args.values["ids"] === "string" ? idsOf(args.values["ids"]) : undefined;
      try {
        if (!isOnSerialLine(link)) return await scanNetwork(link, ids ?? NETWORK_IDS, context, signal);
        const passes = passesOf(ids ?? idsOf(ALL_IDS), settingsOf(args, link));
        const where = args.values["all"] === true ? "all settings" : "where found";
        await scanSerial(link, passes, where, { open, context, signal });
      } catch (error) {
        // With the signal it ends, which is no error.
        if (!signal.aborted) throw error;
      }
    },
  };
}

/** Ids to be asked at one setting of the line; `other` ones need not be where nobody likely was. */
export interface Pass {
  readonly are: "likely" | "other";
  readonly settings: Partial<ModbusLinkOptions>;
  readonly ids: readonly number[];
}

/** Likely addresses at each setting first, then all others. Pure. */
export function passesOf(ids: readonly number[], settings: readonly Partial<ModbusLinkOptions>[]): readonly Pass[] {
  const likely = ids.filter((id) => LIKELY_IDS.includes(id));
  const others = ids.filter((id) => !LIKELY_IDS.includes(id));
  return [
    ...settings.map((one): Pass => ({ are: "likely", settings: one, ids: likely })),
    ...settings.map((one): Pass => ({ are: "other", settings: one, ids: others })),
  ].filter((pass) => pass.ids.length > 0);
}

interface SerialScan {
  readonly open: LineOpener;
  readonly context: Context;
  readonly signal: AbortSignal;
}

async function scanSerial(
  link: ModbusLinkOptions,
  passes: readonly Pass[],
  where: "where found" | "all settings",
  { open, context, signal }: SerialScan,
): Promise<void> {
  const homes = new Set<Pass["settings"]>();
  const found = new Set<number>();
  const isWorth = ({ are, settings }: Pass): boolean =>
    are === "likely" || where === "all settings" || homes.size === 0 || homes.has(settings);
  for (const [index, pass] of passes.entries()) {
    if (!isWorth(pass)) continue;
    const options = { ...link, ...pass.settings };
    const line = await open(options, context.clock, signal);
    const timing = timingOf(options);
    const timeoutMs = timeoutOf(options);
    const framing = isAscii(options) ? asciiFraming : rtuFraming;
    const prober = new SerialProber(line, framing, timing, timeoutMs, context.clock);
    let lost: Error | undefined;
    void line.closed.then((reason) => {
      lost = reason;
    });
    try {
      for (const [asked, unit] of pass.ids.entries()) {
        if (lost !== undefined) throw lost;
        const laterMs = sumMs(passes.slice(index + 1).filter(isWorth), link);
        const seconds = Math.ceil((laterMs + (pass.ids.length - asked) * probeMs(timing, timeoutMs)) / 1000);
        context.progress(`${nameOf(options)}: unit ${unit}, at most ${seconds} s left`);
        for (const heard of await prober.probe(unit, signal)) {
          if (found.has(heard.unit)) continue;
          found.add(heard.unit);
          homes.add(pass.settings);
          const transport = transportOn(line, options, context.clock);
          await tell(heard, transport, options, context, signal);
        }
      }
    } finally {
      await line[Symbol.asyncDispose]();
    }
  }
}

function sumMs(passes: readonly Pass[], link: ModbusLinkOptions): number {
  return passes.reduce((sum, { ids, settings }) => {
    const options = { ...link, ...settings };
    return sum + ids.length * probeMs(timingOf(options), timeoutOf(options));
  }, 0);
}

function timeoutOf(options: ModbusLinkOptions): number {
  return options.responseTimeout ?? probeTimeoutMs(timingOf(options).characterMs);
}

async function scanNetwork(
  link: ModbusLinkOptions,
  ids: readonly number[],
  context: Context,
  signal: AbortSignal,
): Promise<void> {
  const { responseTimeout: responseTimeoutMs = NETWORK_TIMEOUT_MS } = link;
  let transport = await openTransport(link, context.clock, signal);
  let losses = 0;
  try {
    for (const [asked, unit] of ids.entries()) {
      const seconds = Math.ceil(((ids.length - asked) * responseTimeoutMs) / 1000);
      context.progress(`${link.host}: unit ${unit}, at most ${seconds} s left`);
      try {
        const heard = await askUnit(transport, unit, responseTimeoutMs, signal);
        if (heard !== undefined) await tell(heard, transport, link, context, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof CausewayError) || !error.code.startsWith("LINK_")) throw error;
        // Some devices hang up when they are asked for a unit that they do not have; who does so each time is none.
        losses++;
        if (losses === ids.length) throw error;
        await transport[Symbol.asyncDispose]();
        transport = await openTransport(link, context.clock, signal);
      }
    }
  } finally {
    await transport[Symbol.asyncDispose]();
  }
}

async function askUnit(
  transport: Transport,
  unit: number,
  responseTimeoutMs: number,
  signal: AbortSignal,
): Promise<Heard | undefined> {
  const request = { unit, pdu: Uint8Array.of(3, 0, 0, 0, 1), responseTimeoutMs, gapMs: 0 };
  try {
    const [code = 0, exception = 0] = await transport.exchange(request, signal);
    if (code < 0x80) return { unit, answer: "value" };
    return GATEWAY_SILENCE.includes(exception) ? undefined : { unit, answer: exception };
  } catch (error) {
    if (error instanceof CausewayError && error.code === "FIELD_TIMEOUT") return undefined;
    if (error instanceof CausewayError && error.code === "FIELD_GARBLED") return { unit, answer: "damaged" };
    throw error;
  }
}

/** Asks a station who it is, and tells. */
async function tell(
  { unit, answer }: Heard,
  transport: Transport,
  options: ModbusLinkOptions,
  { clock, profiles, found, progress }: Context,
  signal: AbortSignal,
): Promise<void> {
  const settings = isOnSerialLine(options) ? { settings: nameOf(options) } : {};
  if (answer === "damaged") {
    found({ unit, ...settings, note: "damaged answer: another parity, or two devices with one address?" });
    return;
  }
  progress(`unit ${unit} answers; asking who it is`);
  const responseTimeout = options.responseTimeout ?? IDENTIFY_TIMEOUT_MS;
  const { vendor, product, revision, serverId } = await identify(transport, unit, responseTimeout, signal);
  const link = new ModbusLink(transport, await PduCodec.load(), timingOf({ ...options, responseTimeout }), clock);
  const fits = await fittingProfiles(link, unit, profiles, signal);
  found({
    unit,
    ...settings,
    vendor,
    product: product ?? serverId,
    revision,
    profiles: fits.map(({ profile, why }) => `${profile} (${why})`),
    note: notesOf(answer, fits.length === 0 && profiles.length > 0),
  });
}

function notesOf(answer: Heard["answer"], isUnknown: boolean): string | undefined {
  const refusal = typeof answer === "number" ? [`refuses holding register 0: ${exceptionText(answer)}`] : [];
  const unknown = isUnknown ? ["no profile fits; 'causeway read modbus' shows its registers"] : [];
  const notes = [...refusal, ...unknown];
  return notes.length === 0 ? undefined : notes.join("; ");
}

/** `9600 8N1`. */
function nameOf(options: ModbusLinkOptions): string {
  const { baudRate, dataBits, parity, stopBits } = serialSettings(options);
  return `${baudRate} ${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}`;
}
