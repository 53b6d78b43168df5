import { NO_BYTES } from "../../../src/base/bytes.js";
import { createLog } from "../../../src/base/log.js";
import { Scope } from "../../../src/base/scope.js";
import { Code, codeClass } from "../../../src/coap/code.js";
import { CoapEndpoint } from "../../../src/coap/endpoint.js";
import { decodeMessage, encodeEmpty, encodeMessage, type Message } from "../../../src/coap/message.js";
import { OptionNumber } from "../../../src/coap/options.js";
import type { RequestHandler } from "../../../src/coap/request.js";
import { CoapSettings } from "../../../src/coap/settings.js";
import { ALL_RIGHTS, RIGHTS } from "../../../src/lwm2m/access.js";
import { Lwm2mClient } from "../../../src/lwm2m/client.js";
import type { NamedPath } from "../../../src/lwm2m/codec/codec.js";
import { AccessControl } from "../../../src/lwm2m/objects/access-control.js";
import { addCoapConfig } from "../../../src/lwm2m/objects/coap-config.js";
import { addDevice } from "../../../src/lwm2m/objects/device.js";
import { EventLog } from "../../../src/lwm2m/objects/event-log.js";
import { GatewayObject } from "../../../src/lwm2m/objects/gateway.js";
import { addStoredObject } from "../../../src/lwm2m/objects/stored.js";
import { addTestObject } from "../../../src/lwm2m/objects/test-object.js";
import { ObjectTree } from "../../../src/lwm2m/tree.js";
import type { Value } from "../../../src/lwm2m/value.js";
import { FakeClock, settle } from "../../fakes/clock.js";
import { model, shippedModels } from "../../fakes/lwm2m-client.js";
import { formatResponse, incoming } from "../../fakes/lwm2m-server.js";
import type { Random } from "../../fakes/random.js";
import { FakeTransport } from "../../fakes/transport.js";

/** The fuzzed server, another one that only looks on, and one that has never answered a Register. */
export const FUZZED = 1;
export const WITNESS = 2;
const STRANGER = 3;

/** A server's end of the line: answers as a server does, and takes what the client sends apart. */
class Line {
  readonly transport = new FakeTransport();
  readonly #random: Random;
  readonly #answers: boolean;
  readonly handler: RequestHandler;
  /** Requests that did what they asked, and notifications. */
  granted = 0;

  constructor(handler: RequestHandler, answers: boolean, random: Random) {
    this.handler = handler;
    this.#answers = answers;
    this.#random = random;
  }

  /** Throws when the client has sent what is no CoAP. */
  hear(): void {
    for (const datagram of this.transport.take()) {
      const message = decodeMessage(Uint8Array.from(datagram));
      if (message.type === "malformed") throw new Error(`the client sent a malformed message: ${message.reason}`);
      this.#take(message);
    }
  }

  #take(message: Message): void {
    if (codeClass(message.code) === 0 && message.code !== Code.Empty) this.#answer(message);
    else if (codeClass(message.code) >= 2) {
      if (codeClass(message.code) === 2) this.granted++;
      if (message.type === "CON") this.#acknowledge(message);
    }
  }

  /** A notification or separate response: mostly acknowledged, now and then rejected or passed over. */
  #acknowledge({ messageId }: Message): void {
    const how = this.#random.below(20);
    if (how > 0) this.transport.receive(encodeEmpty(how === 1 ? "RST" : "ACK", messageId));
  }

  #answer({ code, messageId, token, options }: Message): void {
    if (!this.#answers) return;
    const segments = options.filter(({ number }) => number === OptionNumber.UriPath);
    const isRegister = code === Code.Post && segments.length === 1 && segments[0]?.text === "rd";
    const reply = code === Code.Delete ? Code.Deleted : isRegister ? Code.Created : Code.Changed;
    const location = isRegister ? ["rd", "1"].map((value) => ({ number: OptionNumber.LocationPath, value })) : [];
    const message = { type: "ACK", code: reply, messageId, token, options: location, payload: NO_BYTES } as const;
    this.transport.receive(encodeMessage(message));
  }
}

/** A whole client with three servers, two devices behind prefixes and objects whose instances servers may create. */
export class World implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly tree = new ObjectTree();
  readonly behind = [new ObjectTree(), new ObjectTree()] as const;
  readonly client: Lwm2mClient;
  /** Complaints of the client, at level error. */
  readonly defects: string[] = [];
  readonly #lines = new Map<number, Line>();
  readonly #scope = new Scope((error) => this.defects.push(String(error)));
  readonly #events = new EventLog(this.clock, async (entries) => await this.client.send(entries, this.#scope.signal));

  /** `may` is what the fuzzed server may do with the gateway's own objects. */
  constructor(random: Random, may: "everything" | "read" = "everything") {
    const { clock, tree, behind } = this;
    fill(tree, behind, { clock, random, send: (paths) => this.#send(paths) });
    this.#events.addTo(tree, shippedModels);
    const gateway = new GatewayObject(tree, shippedModels, clock);
    for (const [instanceId, device] of behind.entries()) {
      const prefix = `d0${instanceId + 1}`;
      gateway.add({ instanceId, deviceId: `urn:dev:os:32473-${prefix}`, prefix, tree: device });
    }
    const rightsOf = (server: number): number => (server === FUZZED ? RIGHTS.read : ALL_RIGHTS);
    const access = may === "read" ? { access: new AccessControl(tree, shippedModels, clock, rightsOf) } : {};
    const log = createLog("error", (line) => this.defects.push(line));
    this.client = new Lwm2mClient({
      endpoint: "fuzz",
      tree,
      gateway,
      ...access,
      models: shippedModels,
      servers: [FUZZED, WITNESS, STRANGER].map((shortServerId) => ({
        uri: `coap://192.0.2.${shortServerId}`,
        shortServerId,
        lifetimeS: 300,
      })),
      openPeer: async ({ shortServerId = 0 }, handler, signal) => {
        signal.throwIfAborted();
        const line = new Line(handler, shortServerId !== STRANGER, random);
        this.#lines.set(shortServerId, line);
        return new CoapEndpoint(line.transport, handler, { clock, log, random: random.next });
      },
      clock,
      log,
      random: random.next,
      confirmEveryMs: 10_000,
    });
  }

  async start(): Promise<void> {
    this.client.start(this.#scope);
    await this.run(1000);
  }

  /** Lets time go by, while the servers answer. */
  async run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      await settle();
      this.hear();
      await this.clock.advance(Math.min(left, 100));
      this.hear();
    }
  }

  hear(): void {
    for (const line of this.#lines.values()) line.hear();
  }

  receive(shortServerId: number, datagram: Uint8Array): void {
    this.#lines.get(shortServerId)?.transport.receive(datagram);
  }

  /** What the stranger achieved; what is no request at all may be told so. */
  get grantedToStranger(): number {
    return this.#lines.get(STRANGER)?.granted ?? 0;
  }

  isRegistered(shortServerId: number): boolean {
    return this.client.registrations.some((one) => one.shortServerId === shortServerId && one.state === "registered");
  }

  observations(shortServerId: number): number {
    return this.client.registrations.find((one) => one.shortServerId === shortServerId)?.observations ?? 0;
  }

  /** Asks as the witness, past the network. */
  async witness(...[method, target, ask = {}]: Witnessed): Promise<string> {
    const handler = this.#lines.get(WITNESS)?.handler;
    const response = await handler?.(incoming(method, target, ask, `${method} ${target}`));
    return response === undefined ? "no answer" : formatResponse(response);
  }

  #send(paths: readonly NamedPath[]): void {
    // Whatever a server makes the client send, it may refuse.
    this.client.sendPaths(paths, this.#scope.signal).catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#events[Symbol.dispose]();
    const closing = this.#scope[Symbol.asyncDispose]();
    return this.run(10_000).then(() => closing);
  }
}

type Witnessed = [method: Parameters<typeof incoming>[0], target: string, ask?: Parameters<typeof incoming>[2]];

interface FillOptions {
  readonly clock: FakeClock;
  readonly random: Random;
  readonly send: (paths: readonly NamedPath[]) => void;
}

function fill(tree: ObjectTree, [d01, d02]: readonly [ObjectTree, ObjectTree], options: FillOptions): void {
  const { clock, random, send } = options;
  const atMs = clock.nowMs();
  const put = (where: ObjectTree, path: readonly number[], value: Value): void => where.set(path, { value, atMs });
  const facts = { manufacturer: "Causeway", modelNumber: "fuzz", firmwareVersion: "1", binding: "U" };
  const own = { ...facts, memoryFreeKb: () => 1, memoryTotalKb: () => 2, reboot: () => undefined };
  addDevice(tree, shippedModels, own, clock);
  for (const objectId of [16, 19]) addStoredObject(tree, shippedModels, objectId);
  addTestObject(tree, shippedModels, { clock, random: random.next, send });
  addCoapConfig(tree, shippedModels, new CoapSettings(), () => 41, clock);
  for (const device of [d01, d02]) addDevice(device, shippedModels, { modelNumber: "meter", binding: "U" }, clock);
  d01.addInstance(model(3303), 0, new Map([[5605, { execute: async () => undefined }]]));
  put(d01, [3303, 0, 5700], 21.5);
  const write = async (value: unknown): Promise<void> => {
    await settle();
    if (typeof value === "boolean") d02.set([3306, 0, 5850], { value, atMs: clock.nowMs() });
  };
  d02.addInstance(model(3306), 0, new Map([[5850, { write }]]));
  put(d02, [3306, 0, 5850], false);
}
