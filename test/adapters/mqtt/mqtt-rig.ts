import { mqtt } from "../../../adapters/mqtt/index.js";
import type { MqttLinkOptions, MqttPoint } from "../../../adapters/mqtt/options.js";
import { SmallBroker, type SmallBrokerOptions } from "../../../adapters/mqtt/small-broker.js";
import { createLog } from "../../../src/base/log.js";
import { Scope } from "../../../src/base/scope.js";
import type { Point, Station } from "../../../src/field/adapter.js";
import { type Field, openField } from "../../../src/field/field.js";
import { defineAdapter, type Reading } from "../../../src/field/index.js";
import type { Variables } from "../../../src/field/template.js";
import { FakeClock, settle } from "../../fakes/clock.js";

interface LogLine {
  readonly msg: string;
  readonly [fact: string]: unknown;
}

export type RigDevice = readonly [Station<Variables>, readonly Point<MqttPoint>[]];

/** A field on a real broker over real sockets, with a clock by hand. Waits for what happens, never for time. */
export class MqttRig implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly logged: LogLine[] = [];
  readonly published: string[] = [];
  readonly scope = new Scope((error) => {
    throw error;
  });
  readonly #told: string[] = [];
  broker: SmallBroker;
  field: Field | undefined;

  private constructor(broker: SmallBroker) {
    this.broker = broker;
    this.#follow(broker);
  }

  static async listen(options: SmallBrokerOptions = {}): Promise<MqttRig> {
    return new MqttRig(await SmallBroker.listen(options));
  }

  get link(): MqttLinkOptions {
    return { host: "127.0.0.1", port: this.broker.port };
  }

  get bus() {
    return this.field?.status().buses[0];
  }

  health(device: string): string | undefined {
    return this.field?.status().devices.find(({ name }) => name === device)?.health;
  }

  async open(devices: readonly RigDevice[], options: MqttLinkOptions = this.link, name = "broker"): Promise<Field> {
    const poll = { fastMs: 1000, normalMs: 10_000, slowMs: 60_000 };
    this.field = await openField(
      {
        links: [{ name, adapter: "mqtt", options }],
        devices: devices.map(([station, points]) => ({ ...station, link: name, points, poll })),
        loadAdapter: () => Promise.resolve(defineAdapter(mqtt)),
        clock: this.clock,
        log: createLog("debug", (line) => this.logged.push(JSON.parse(line))),
        onReadings: (device, readings) => this.#tell(device, readings),
        environment: { MQTT_PASSWORD: "open sesame" },
        random: () => 0,
      },
      this.scope,
    );
    return this.field;
  }

  /** The link is up and everybody has subscribed; what the broker kept has come. */
  async subscribed(filters: number): Promise<void> {
    await this.until(() => this.bus?.state === "up" && this.broker.filters.length === filters);
    await this.clock.advance(0);
  }

  /** Waits until readings have come, as `device.point quality value`, and gives them all. */
  async news(count: number): Promise<string[]> {
    await this.until(() => this.#told.length >= count);
    return this.#told.splice(0);
  }

  /** Looks again at each turn of the event loop. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await settle();
  }

  /** The broker is started anew at the same port and has forgotten everything. */
  async restart(): Promise<void> {
    const { port } = this.broker;
    await this.broker[Symbol.asyncDispose]();
    await this.until(() => this.bus?.state === "down");
    await this.reopen(port);
  }

  /** After an end: as `restart`. */
  async reopen(port: number): Promise<void> {
    this.broker = await SmallBroker.listen({}, port);
    this.#follow(this.broker);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scope[Symbol.asyncDispose]();
    await this.broker[Symbol.asyncDispose]();
  }

  #follow(broker: SmallBroker): void {
    broker.onPublish = (topic, payload) => this.published.push(`${topic} ${Buffer.from(payload)}`);
  }

  #tell(device: string, readings: readonly Reading[]): void {
    for (const { point, quality, value } of readings) {
      this.#told.push(`${device}.${point} ${quality}${value === undefined ? "" : ` ${value}`}`);
    }
  }
}
