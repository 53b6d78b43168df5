import { type Adapter, defineAdapter, type Variables } from "causeway/adapter";
import { addressOf, brokerFacts, connectBroker } from "./broker.js";
import { linkProblem, pointProblem, stationProblem, traitsProblem } from "./check.js";
import { MqttLink } from "./link.js";
import {
  kindOf,
  linkSchema,
  type MqttLinkOptions,
  type MqttPoint,
  pointSchema,
  protocolSchema,
  stationSchema,
} from "./options.js";
import { fitValue } from "./payload.js";

/** Devices that publish to an MQTT broker, one mapping for all that have the same topics. */
export const mqtt: Adapter<MqttLinkOptions, Variables, MqttPoint> = {
  name: "mqtt",
  link: linkSchema,
  station: stationSchema,
  point: pointSchema,
  protocol: protocolSchema,
  medium: (options) => {
    const { host, port } = addressOf(options);
    const { username = "", clientId = "" } = options;
    return `${username === "" ? "" : `${username}@`}${host}:${port}${clientId === "" ? "" : ` as ${clientId}`}`;
  },
  line: (options, link) => {
    const { host, port } = addressOf(options);
    return { address: `${host}:${port}`, broker: brokerFacts(options, link) };
  },
  plan: () => [],
  open: async (options, context, signal) =>
    new MqttLink(await connectBroker(options, context, signal), context.clock, context.log),
  linkProblem,
  pointProblem,
  traitsProblem,
  stationProblem,
  kind: kindOf,
  fit: fitValue,
  scan: async () => (await import("./scan.js")).scanTool,
  simulate: async (_options, stations) => await (await import("./simulator.js")).simulateMqtt(stations),
};

export default defineAdapter(mqtt);
