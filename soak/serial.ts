import { createServer, type Server, type Socket } from "node:net";
import type { Random } from "./random.js";
import type { SoakContext, SoakDevice, SoakField, Trouble } from "./soak-field.js";
import { claimPoints } from "./soak-field.js";

const POINTS = 2;
const CORRUPTIONS = ["silence", "bad checksums", "half frames", "garbage", "pieces", "other frames"] as const;
type Corruption = (typeof CORRUPTIONS)[number];

/** Two devices, each behind a serial server of its own: one speaks on its own, one answers when it is asked. */
export class SoakSerial implements SoakField {
  readonly links: Readonly<Record<string, unknown>>;
  readonly devices: readonly SoakDevice[];
  readonly instances: readonly (readonly number[])[];
  readonly #context: SoakContext;
  readonly #talker: Device;
  readonly #polled: Device;

  private constructor(talker: Device, polled: Device, context: SoakContext) {
    this.#talker = talker;
    this.#polled = polled;
    this.#context = context;
    this.links = {
      talker: { adapter: "serial", host: "127.0.0.1", port: talker.port },
      polled: { adapter: "serial", host: "127.0.0.1", port: polled.port },
    };
    this.devices = [
      { name: "talker", link: "talker", profile: "soak-talker", address: {} },
      { name: "polled", link: "polled", profile: "soak-polled", address: {}, poll: { normal: "1s" } },
    ];
    this.instances = claimPoints(context.truth, this.devices, POINTS);
    polled.onRequest = () => polled.say(this.#frameOf(1));
    this.change();
  }

  static async open(context: SoakContext): Promise<SoakSerial> {
    return new SoakSerial(await Device.listen(context.random), await Device.listen(context.random), context);
  }

  change(): void {
    for (const instance of this.instances.flat()) this.#context.truth.advance(instance);
    this.#talker.say(this.#frameOf(0));
  }

  trouble(): Trouble {
    const { random } = this.#context;
    const device = random.pick([this.#talker, this.#polled]);
    const what = random.pick([...CORRUPTIONS, "lost", "away"] as const);
    if (what === "lost") device.lose();
    else if (what === "away") device.leave();
    else device.corrupt(what);
    return { what, end: () => device.heal() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#talker[Symbol.asyncDispose]();
    await this.#polled[Symbol.asyncDispose]();
  }

  #frameOf(index: number): string {
    const values = this.instances[index]?.map((instance) => this.#context.truth.current(instance)) ?? [];
    return `SOAK,${values.join(",")}`;
  }
}

/** The far end of a line. A frame is `$TEXT*HH` and a line end, HH the exclusive or of the text as in NMEA 0183. */
class Device implements AsyncDisposable {
  readonly #server: Server;
  readonly #random: Random;
  readonly #sockets = new Set<Socket>();
  #corruption: Corruption | undefined;
  #isAway = false;
  onRequest: () => void = () => undefined;

  private constructor(server: Server, random: Random) {
    this.#server = server;
    this.#random = random;
    server.on("connection", (socket) => this.#serve(socket));
  }

  static async listen(random: Random): Promise<Device> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Device(server, random);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  say(text: string): void {
    for (const bytes of this.#corrupted(frameOf(text))) for (const socket of this.#sockets) socket.write(bytes);
  }

  #corrupted(frame: Uint8Array): readonly Uint8Array[] {
    switch (this.#corruption) {
      case undefined:
        return [frame];
      case "silence":
        return [];
      case "bad checksums":
        // The last digit of a value: well formed, and wrong.
        return [frame.map((byte, index) => (index === frame.length - 6 ? byte ^ 1 : byte))];
      case "half frames":
        return [frame.subarray(0, this.#random.whole(1, frame.length - 3))];
      case "garbage":
        return [this.#random.bytes(this.#random.whole(1, 300))];
      case "pieces":
        return [...frame].map((byte) => Uint8Array.of(byte));
      case "other frames":
        return [frameOf("OTHR,1,2"), frame];
    }
  }

  corrupt(corruption: Corruption): void {
    this.#corruption = corruption;
  }

  lose(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  leave(): void {
    this.#isAway = true;
    this.lose();
  }

  heal(): void {
    this.#corruption = undefined;
    this.#isAway = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.lose();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    socket.on("error", () => undefined);
    if (this.#isAway) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (bytes) => {
      if (bytes.includes("?\r\n")) this.onRequest();
    });
  }
}

function frameOf(text: string): Uint8Array {
  return Buffer.from(`$${text}*${checksum(text)}\r\n`);
}

function checksum(text: string): string {
  const sum = Buffer.from(text).reduce((xor, byte) => xor ^ byte, 0);
  return sum.toString(16).toUpperCase().padStart(2, "0");
}
