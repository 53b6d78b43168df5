import { writeFile } from "node:fs/promises";
import modbus from "../../adapters/modbus/index.js";
import mqtt from "../../adapters/mqtt/index.js";
import { Scope } from "../../src/base/scope.js";
import { BlePart } from "./field-ble.js";
import { BrokerPart } from "./field-broker.js";
import { type FieldDevice, type FieldPart, FieldProfiles, MAPPINGS } from "./field-part.js";
import { SerialPart } from "./field-serial.js";
import { SimulatedPart } from "./field-simulated.js";
import { LeshanServer } from "./leshan-server.js";
import { Programs } from "./modbus-programs.js";

export const HUB = "urn:dev:os:32473-field";

export function endpointOf(device: Pick<FieldDevice, "name">): string {
  return `urn:dev:os:32473-${device.name}`;
}

/** The field, by what the devices speak. */
export interface Field {
  readonly modbus: SimulatedPart;
  readonly mqtt: SimulatedPart;
  readonly broker: BrokerPart;
  readonly serial: SerialPart;
  readonly ble: BlePart;
}

/** A device of each shipped profile, a Leshan server, and the configuration of a gateway between them. */
export class FieldSite implements AsyncDisposable {
  readonly server: LeshanServer;
  readonly profiles: FieldProfiles;
  readonly field: Field;
  readonly configFile: string;
  readonly #scope: Scope;

  private constructor(
    scope: Scope,
    { server, profiles, field, configFile }: Pick<FieldSite, "server" | "profiles" | "field" | "configFile">,
  ) {
    this.#scope = scope;
    this.server = server;
    this.profiles = profiles;
    this.field = field;
    this.configFile = configFile;
  }

  static async open(): Promise<FieldSite> {
    const scope = new Scope((error) => {
      throw error;
    });
    try {
      const programs = scope.use(new Programs());
      const profiles = await FieldProfiles.open();
      const field = await openField(scope, programs, profiles);
      const server = scope.use(await LeshanServer.start("newest", programs));
      const site = new FieldSite(scope, { server, profiles, field, configFile: `${programs.folder}/causeway.json` });
      await writeFile(site.configFile, JSON.stringify(site.#config()));
      return site;
    } catch (error) {
      await scope[Symbol.asyncDispose]();
      throw error;
    }
  }

  get devices(): readonly FieldDevice[] {
    return this.#parts.flatMap(({ devices }) => devices);
  }

  get #parts(): readonly FieldPart[] {
    const { modbus, mqtt, broker, serial, ble } = this.field;
    return [modbus, mqtt, broker, serial, ble];
  }

  #config(): object {
    return {
      gateway: { endpoint: HUB, state: "state", expose: "endpoints" },
      mappings: [MAPPINGS],
      servers: [{ uri: `coap://127.0.0.1:${this.server.coapPort}`, history: "none" }],
      links: Object.assign({}, ...this.#parts.map(({ links }) => links)),
      devices: this.devices.map((device) => ({
        name: device.name,
        link: device.link,
        profile: device.profile,
        ...(device.address === undefined ? {} : { address: device.address }),
        id: endpointOf(device),
        poll: { fast: "1s", normal: "2s" },
      })),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }
}

async function openField(scope: Scope, programs: Programs, profiles: FieldProfiles): Promise<Field> {
  const tcp = { transport: "tcp", host: "127.0.0.1", port: 0 };
  const simulate = async (...args: Parameters<typeof SimulatedPart.open>): Promise<SimulatedPart> =>
    scope.use(await SimulatedPart.open(...args));
  const units = await simulate(modbus, tcp, await profiles.of("modbus"), (_, index) => {
    const address = { unit: index + 1 };
    return { address, station: address };
  });
  const topics = await simulate(mqtt, {}, await profiles.of("mqtt"), ({ name }) => {
    const address = { id: name, sensor: "SI7021" };
    return { address, station: new Map(Object.entries(address)) };
  });
  return {
    modbus: units,
    mqtt: topics,
    broker: scope.use(await BrokerPart.open(programs)),
    serial: scope.use(await SerialPart.open(programs, await profiles.of("serial"))),
    ble: scope.use(await BlePart.open(profiles)),
  };
}
