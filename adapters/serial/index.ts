import {
  type Adapter,
  CausewayError,
  defineAdapter,
  type Exchange,
  type Point,
  type Station,
  type Variables,
} from "causeway/adapter";
import { linkProblem, pointProblem, stationProblem, traitsProblem } from "./check.js";
import { fitValue, kindOf } from "./fit.js";
import { SerialLink } from "./link.js";
import { openLine } from "./open-line.js";
import {
  frameOf,
  linkSchema,
  pointSchema,
  protocolOf,
  protocolSchema,
  type SerialLinkOptions,
  type SerialPoint,
  serialSettings,
  stationSchema,
} from "./options.js";

/** Devices that speak in lines or frames over a serial port, or a serial server, as their profile declares. */
export const serial: Adapter<SerialLinkOptions, Variables, SerialPoint> = {
  name: "serial",
  link: linkSchema,
  station: stationSchema,
  point: pointSchema,
  protocol: protocolSchema,
  medium: addressOf,
  line: (options) => ({
    address: addressOf(options),
    ...(options.host === undefined ? { serial: serialSettings(options) } : {}),
  }),
  plan: planFrames,
  async open(options, { clock }, signal) {
    const problem = linkProblem(options);
    if (problem !== undefined) throw new CausewayError("CONFIG_INVALID", problem);
    return new SerialLink(await openLine(options, clock, signal), serialSettings(options).baudRate, clock);
  },
  linkProblem,
  traitsProblem,
  pointProblem,
  stationProblem,
  kind: kindOf,
  fit: fitValue,
  scan: async () => (await import("./scan.js")).scanTool,
  read: async () => (await import("./read.js")).readTool(),
  simulate: async (options, stations, context) =>
    await (await import("./simulator.js")).simulateSerial(options, stations, context),
};

export default defineAdapter(serial);

function addressOf({ host, port }: SerialLinkOptions): string {
  return host === undefined ? String(port) : `${host}:${port}`;
}

/** Points of one kind of frame share its request; those of frames that come on their own are in no exchange. */
function planFrames(
  _options: SerialLinkOptions,
  { name, traits }: Station<Variables>,
  points: readonly Point<SerialPoint>[],
): readonly Exchange<SerialPoint>[] {
  const protocol = protocolOf(traits.protocol);
  if (protocol.session !== undefined) {
    return points.length === 0 ? [] : [{ points, summary: `${protocol.session} readout of ${name}`, wireMs: 0 }];
  }
  const polled = [...(protocol.frames ?? [])].filter(([, { request }]) => request !== undefined);
  return polled.flatMap(([frame]) => {
    const own = points.filter(({ address }) => frameOf(address, protocol) === frame);
    return own.length === 0 ? [] : [{ points: own, summary: `${frame} of ${name}`, wireMs: 0 }];
  });
}
