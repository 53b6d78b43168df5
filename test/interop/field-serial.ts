import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { toHex } from "../../src/base/bytes.js";
import { Scope } from "../../src/base/scope.js";
import type { Line } from "../../src/field/line.js";
import { openSerialLine } from "../../src/field/serial-line.js";
import { EXAMPLES, type Example } from "../adapters/serial/examples.js";
import { latin } from "../adapters/serial/serial-rig.js";
import type { FieldDevice, FieldPart } from "./field-part.js";
import type { Programs } from "./modbus-programs.js";

const SPEAK_EVERY_MS = 200;
/** This one is reached through a serial port, the others through serial servers. */
const ON_PORT = "nmea-0183-gps";

/** One that speaks recorded frames on its own and answers the requests that it knows. */
export class SerialSpeaker {
  says: readonly Uint8Array[];
  answers: Readonly<Record<string, Uint8Array>>;
  /** What it says to any command; then it carries none out. */
  refusal: Uint8Array | undefined;
  /** The last command that it carried out, in hex. */
  command: string | undefined;
  /** Commands, in hex, and what it says to them. */
  readonly #commands: ReadonlyMap<string, string>;
  #received = "";

  constructor({ says = [], answers = {}, writes = [] }: Example) {
    this.says = says;
    this.answers = answers;
    this.#commands = new Map(writes.map(([, , sent, answer]) => [sent, answer]));
  }

  /** What is said to the bytes; nothing while they are no whole request. */
  hear(bytes: Uint8Array): Uint8Array | undefined {
    this.#received = `${this.#received}${Buffer.from(bytes).toString("latin1")}`.slice(-256);
    const request = Object.keys(this.answers).find((known) => this.#received.endsWith(known));
    const command = [...this.#commands].find(([hex]) => toHex(latin(this.#received)).endsWith(hex));
    if (command !== undefined || request !== undefined) this.#received = "";
    if (request !== undefined) return this.answers[request];
    if (command === undefined || this.refusal !== undefined) return command && this.refusal;
    const [sent, answer] = command;
    this.command = sent;
    return latin(answer);
  }
}

/** A device of each shipped profile for serial lines. */
export class SerialPart implements FieldPart {
  readonly links: Record<string, object> = {};
  readonly devices: FieldDevice[] = [];
  readonly #speakers = new Map<string, SerialSpeaker>();
  readonly #servers = new Map<SerialSpeaker, SerialServer>();
  readonly #scope = new Scope((error) => {
    throw error;
  });

  static async open(programs: Programs): Promise<SerialPart> {
    const part = new SerialPart();
    for (const [name, example] of Object.entries(EXAMPLES)) {
      const speaker = new SerialSpeaker(example);
      part.#speakers.set(name, speaker);
      const place = name === ON_PORT ? await part.#onPort(speaker, programs) : await part.#onNetwork(speaker);
      part.links[name] = { adapter: "serial", ...place };
      const writes = (example.writes ?? []).map(([path, value, raw]) => {
        return { path, value, raw, held: () => speaker.command };
      });
      part.devices.push({ name, link: name, profile: name, shown: example.tree, writes });
    }
    return part;
  }

  speaker(profile: string): SerialSpeaker {
    const speaker = this.#speakers.get(profile);
    if (speaker === undefined) throw new Error(`no ${profile}`);
    return speaker;
  }

  /** The serial server of the device is switched off; resolves with what switches it on again. */
  async switchOff(profile: string): Promise<() => Promise<unknown>> {
    const server = this.#servers.get(this.speaker(profile));
    await server?.[Symbol.asyncDispose]();
    return async () => await server?.listen();
  }

  /** What lies on the scale, in g. */
  weigh(weight: number): void {
    this.speaker("mt-sics-scale").answers = { "SI\r\n": latin(`S S     ${weight.toFixed(2)} g\r\n`) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }

  async #onPort(speaker: SerialSpeaker, programs: Programs): Promise<object> {
    const { near, far } = await programs.ptyPair("serial");
    const settings = { baudRate: 9600, dataBits: 8, parity: "none", stopBits: 1 } as const;
    const line: Line = this.#scope.use(await openSerialLine({ path: far, ...settings }, this.#scope.signal));
    const timer = setInterval(() => speaker.says.map((frame) => line.write(frame)), SPEAK_EVERY_MS);
    this.#scope.defer(() => clearInterval(timer));
    return { port: near, ...settings };
  }

  async #onNetwork(speaker: SerialSpeaker): Promise<object> {
    const server = this.#scope.use(new SerialServer(speaker));
    this.#servers.set(speaker, server);
    return { host: "127.0.0.1", port: await server.listen() };
  }
}

/** A serial server on TCP with one device behind it. */
class SerialServer implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #port = 0;

  constructor(speaker: SerialSpeaker) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      const timer = setInterval(() => speaker.says.map((frame) => socket.write(frame)), SPEAK_EVERY_MS);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        clearInterval(timer);
        this.#sockets.delete(socket);
      });
      socket.on("data", (bytes) => {
        const answer = speaker.hear(bytes);
        if (answer !== undefined) socket.write(answer);
      });
    });
  }

  /** Resolves with the port: that of before, or at first a free one. */
  async listen(): Promise<number> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (typeof address === "object") this.#port = address?.port ?? 0;
    return this.#port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}
