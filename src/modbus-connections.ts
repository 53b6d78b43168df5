import type { Clock } from "./base/clock.js";
import type { GatewayConfig } from "./config/config.js";
import type { LineFacts } from "./field/adapter.js";
import type { BusStatus } from "./field/bus.js";
import { requireModel } from "./lwm2m/objects/require-model.js";
import type { ObjectTree, ResourceHandler } from "./lwm2m/tree.js";
import type { Value } from "./lwm2m/value.js";
import type { InstanceTable } from "./mapping/instances.js";
import { showLink } from "./server-instances.js";

export const MODBUS_CONNECTION = 10374;
const Id = { address: 0, layer: 1, enable: 2, baudRate: 3, stopBits: 4, parity: 5, flowControl: 6, state: 8 } as const;
const Layer = { tcp: 0, rs485: 2 } as const;
const State = { connecting: 1, ok: 2, error: 4 } as const;
const PARITIES = ["none", "even", "odd"] as const;

type LinksConfig = Pick<GatewayConfig, "links" | "adapters" | "models">;

interface Connection {
  readonly link: string;
  readonly instanceId: number;
  /** As observers know it. */
  told: number;
}

/**
 * The Modbus links of the configuration as instances of object 10374. Servers see them and their states; what they are is
 * said by the file alone.
 */
export class ModbusConnections {
  readonly #tree: ObjectTree;
  readonly #clock: Clock;
  readonly #connections: readonly Connection[];
  #buses: () => readonly BusStatus[] = () => [];

  /** Ids stay with the names of the links. Throws LWM2M_MODEL. */
  constructor(tree: ObjectTree, config: LinksConfig, instances: InstanceTable, clock: Clock) {
    this.#tree = tree;
    this.#clock = clock;
    const model = requireModel(config.models, MODBUS_CONNECTION);
    this.#connections = modbusLinks(config).map(({ name, line }) => {
      // No device can have this name.
      const instanceId = instances.instanceId(`link:${name}`, MODBUS_CONNECTION, 0);
      const facts = factsOf(line);
      const state: ResourceHandler = { read: () => this.#stateOf(name) };
      showLink(tree, model, instanceId, facts, clock.nowMs(), [[Id.state, state]]);
      return { link: name, instanceId, told: this.#stateOf(name) };
    });
  }

  /** What the states are told of from now on. */
  attach(buses: () => readonly BusStatus[]): void {
    this.#buses = buses;
    this.refresh();
  }

  /** The link of an instance. */
  linkOf(instanceId: number): string | undefined {
    return this.#connections.find((connection) => connection.instanceId === instanceId)?.link;
  }

  /** Tells observers of other states. */
  refresh(): void {
    for (const connection of this.#connections) {
      const state = this.#stateOf(connection.link);
      if (state === connection.told) continue;
      connection.told = state;
      this.#tree.touch([MODBUS_CONNECTION, connection.instanceId, Id.state], this.#clock.nowMs());
    }
  }

  #stateOf(link: string): number {
    switch (this.#buses().find(({ links }) => links.includes(link))?.state) {
      case "up":
        return State.ok;
      case "down":
        return State.error;
      default:
        return State.connecting;
    }
  }
}

interface ModbusLink {
  readonly name: string;
  readonly line: LineFacts;
}

/** Links whose adapter tells of their line, and speaks Modbus. */
export function modbusLinks({ links, adapters }: LinksConfig): readonly ModbusLink[] {
  return links.flatMap(({ name, adapter, options }) => {
    const line = adapter === "modbus" ? adapters.get(adapter)?.line?.(options, name) : undefined;
    return line === undefined ? [] : [{ name, line }];
  });
}

function factsOf({ address, serial }: LineFacts): readonly (readonly [number, Value])[] {
  const facts: [number, Value][] = [
    [Id.address, address],
    [Id.layer, serial === undefined ? Layer.tcp : Layer.rs485],
    [Id.enable, true],
  ];
  if (serial === undefined) return facts;
  return [
    ...facts,
    [Id.baudRate, serial.baudRate],
    [Id.stopBits, serial.stopBits],
    [Id.parity, PARITIES.indexOf(serial.parity)],
    [Id.flowControl, 0],
  ];
}
