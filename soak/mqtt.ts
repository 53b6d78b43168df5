import { SmallBroker } from "../adapters/mqtt/small-broker.js";
import type { SoakContext, SoakDevice, SoakField, Trouble } from "./soak-field.js";
import { claimPoints } from "./soak-field.js";

const DEVICES = 3;
/** Return codes of CONNACK (MQTT 3.1.1 §3.2.2.3). */
const ACCEPTED = 0;
const NOT_AUTHORISED = 5;
const NAMES = ["first", "second"];

/** Devices that publish to a broker. */
export class SoakMqtt implements SoakField {
  readonly links: Readonly<Record<string, unknown>>;
  readonly devices: readonly SoakDevice[];
  readonly #context: SoakContext;
  readonly instances: readonly (readonly number[])[];
  readonly #port: number;
  #broker: SmallBroker;
  #admitted = ACCEPTED;
  #isMute = false;

  private constructor(broker: SmallBroker, context: SoakContext) {
    this.#broker = broker;
    this.#port = broker.port;
    this.#context = context;
    this.links = { broker: { adapter: "mqtt", host: "127.0.0.1", port: broker.port } };
    this.devices = Array.from({ length: DEVICES }, (_, index) => ({
      name: `mqtt-${index + 1}`,
      link: "broker",
      profile: "soak-mqtt",
      address: { id: `d${index + 1}` },
    }));
    this.instances = claimPoints(context.truth, this.devices, NAMES.length);
    this.change();
  }

  static async open(context: SoakContext): Promise<SoakMqtt> {
    const field = new SoakMqtt(await SmallBroker.listen(), context);
    await field.#broker[Symbol.asyncDispose]();
    await field.#restart();
    return field;
  }

  change(): void {
    for (const [index, instances] of this.instances.entries()) {
      const values = instances.map((instance) => this.#context.truth.advance(instance));
      if (this.#isMute) continue;
      this.#publish(index, "online");
      const document = Object.fromEntries(NAMES.map((name, at) => [name, values[at]]));
      this.#broker.publish(`soak/d${index + 1}`, JSON.stringify(document), "retained");
    }
  }

  async trouble(): Promise<Trouble> {
    const { random } = this.#context;
    const what = random.pick(["garbage", "half a document", "cut off", "restart", "refused", "mute", "gone"]);
    const victim = random.whole(1, DEVICES);
    switch (what) {
      case "garbage":
        this.#broker.publish(`soak/d${victim}`, random.bytes(random.whole(0, 200)));
        break;
      case "half a document":
        this.#broker.publish(`soak/d${victim}`, '{"first": 12345');
        break;
      case "cut off":
        this.#broker.cutOff();
        break;
      case "gone":
        this.#publish(victim - 1, "offline");
        break;
      case "mute":
        this.#isMute = true;
        return { what, end: () => this.#unmute() };
      case "refused":
        this.#admit(NOT_AUTHORISED);
        this.#broker.cutOff();
        return { what, end: () => this.#admit(ACCEPTED) };
      case "restart":
        this.#isMute = true;
        await this.#broker[Symbol.asyncDispose]();
        return { what, end: () => this.#restart() };
    }
    return { what, end: () => undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker[Symbol.asyncDispose]();
  }

  async #restart(): Promise<void> {
    this.#broker = await SmallBroker.listen({ admit: () => this.#admitted }, this.#port);
    this.#unmute();
  }

  #unmute(): void {
    this.#isMute = false;
  }

  #admit(returnCode: number): void {
    this.#admitted = returnCode;
  }

  #publish(index: number, state: "online" | "offline"): void {
    this.#broker.publish(`soak/d${index + 1}/state`, state, "retained");
  }
}
