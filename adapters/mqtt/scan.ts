import {
  abortable,
  CausewayError,
  type FieldTool,
  listenFor,
  resolveSecret,
  secondsArgument,
  type ToolArguments,
  textArgument,
} from "causeway/adapter";
import { connectBroker } from "./broker.js";
import { linkProblem } from "./check.js";
import type { MqttLinkOptions, MqttPoint } from "./options.js";
import { MAX_PAYLOAD_BYTES, Message } from "./payload.js";
import { type RecognisedStation, recognise } from "./recognise.js";

const DEFAULT_SECONDS = 10;
/** What is kept of all that a broker publishes. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
const MAX_OTHERS = 50;
const SHOWN_CHARACTERS = 60;

/** `causeway scan mqtt`: listens, and takes what it hears apart by the topics of the profiles. */
export const scanTool: FieldTool<MqttPoint> = {
  summary: "Listens to a broker and tells which devices publish there, and the profiles that fit them.",
  synopsis: "--url mqtt://HOST",
  options: {
    url: { type: "string", value: "URL", summary: "mqtt://host:1883, or mqtts:// for TLS" },
    topic: { type: "string", value: "FILTER", summary: "what to listen to, # unless given" },
    seconds: { type: "string", value: "N", summary: `how long to listen, ${DEFAULT_SECONDS} unless given` },
    username: { type: "string", value: "NAME", summary: "user name for the broker" },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: how a reference is written
    password: { type: "string", value: "REFERENCE", summary: "best a reference, such as ${env:NAME} or ${file:PATH}" },
    ca: { type: "string", value: "FILE", summary: "PEM file with the certificate of the CA, for TLS" },
  },
  async run(args, { clock, profiles, found, progress }, signal) {
    const options = linkOptions(args);
    const listenMs = secondsArgument(args, DEFAULT_SECONDS);
    const filter = textArgument(args, "topic") ?? "#";
    const secret = (reference: string): Promise<string> => resolveSecret(reference, process.env);
    try {
      await using broker = await connectBroker(options, { name: "scan", clock, secret }, signal);
      const kept = new KeptMessages();
      broker.listen((message) => {
        kept.add(message);
        progress(`${kept.messages.size} topics`);
      });
      await abortable(broker.subscribe([filter]), signal);
      await listenFor(clock, listenMs, broker.closed, signal);
      const { stations, others } = recognise(kept.messages, profiles);
      found(...stations.map(stationFinding));
      found(...others.slice(0, MAX_OTHERS).map((message) => ({ topic: message.topic, payload: shown(message) })));
      if (others.length > MAX_OTHERS) found({ topic: `… ${others.length - MAX_OTHERS} topics more` });
      if (kept.omitted > 0) found({ topic: `… ${kept.omitted} messages were left out, too much was published` });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  },
};

class KeptMessages {
  readonly messages = new Map<string, Message>();
  omitted = 0;
  #bytes = 0;

  add(message: Message): void {
    const size = message.topic.length + message.payload.length;
    const present = this.messages.get(message.topic);
    const before = present === undefined ? 0 : present.topic.length + present.payload.length;
    if (message.payload.length > MAX_PAYLOAD_BYTES || this.#bytes + size - before > MAX_KEPT_BYTES) {
      this.omitted++;
      return;
    }
    this.#bytes += size - before;
    // Devices send in parts: the message that says more is kept.
    if (present === undefined || message.payload.length >= present.payload.length) {
      this.messages.set(message.topic, new Message(message.topic, message.payload.slice(), message.origin));
    } else this.#bytes += before - size;
  }
}

function stationFinding({ address, topics, fits }: RecognisedStation) {
  const [best, ...others] = fits;
  return {
    topic: topics[0],
    address: [...address].map(([name, value]) => `${name}: "${value}"`).join(", "),
    profile: best?.profile,
    points: best === undefined ? undefined : `${best.good} of ${best.readable}`,
    also: others.map(({ profile, good, readable }) => `${profile} (${good} of ${readable})`),
  };
}

function shown({ text }: Message): string {
  const line = text.replaceAll(/\s+/g, " ").replaceAll(/\p{C}/gu, "·");
  return line.length <= SHOWN_CHARACTERS ? line : `${line.slice(0, SHOWN_CHARACTERS)}…`;
}

function linkOptions(args: ToolArguments): MqttLinkOptions {
  const url = textArgument(args, "url") ?? args.positionals[0];
  if (url === undefined) throw new CausewayError("USAGE", "scan mqtt needs --url, e.g. mqtt://127.0.0.1");
  const [username, password, ca] = ["username", "password", "ca"].map((name) => textArgument(args, name));
  const options = {
    url: url.includes("://") ? url : `mqtt://${url}`,
    // Not that of the gateway, which would lose its session.
    clientId: `causeway-scan-${process.pid}`,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
  };
  const problem = linkProblem(options);
  if (problem !== undefined) throw new CausewayError("USAGE", problem);
  return options;
}
