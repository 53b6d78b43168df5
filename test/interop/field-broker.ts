import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import type { FieldDevice, FieldPart } from "./field-part.js";
import { freePort, type Programs } from "./modbus-programs.js";

const ID = "tasmota_4F21A0";
const LINK = "mosquitto";
const SENSOR = {
  TotalStartTime: "2025-01-01T00:00:00",
  Total: 3.185,
  ApparentPower: 30,
  ReactivePower: 22,
  Factor: 0.7,
};

/** A Tasmota plug that speaks through a real broker. */
export class BrokerPart implements FieldPart {
  readonly links: FieldPart["links"];
  readonly devices: readonly FieldDevice[];
  temper: "obeys" | "disobeys" | "is silent" = "obeys";
  readonly #client: MqttClient;
  #state = "OFF";

  private constructor(client: MqttClient, port: number) {
    this.#client = client;
    this.links = { [LINK]: { adapter: "mqtt", host: "127.0.0.1", port } };
    const held = (): string => this.#state;
    this.devices = [
      {
        name: "tasmota-at-mosquitto",
        link: LINK,
        profile: "tasmota-plug",
        address: { id: ID },
        shown: {
          "/3306/0/5850": false,
          "/3305/0/5800": 21,
          "/3305/0/5805": 3185,
          "/3305/0/5820": 0.7,
          "/3316/0/5700": 230,
          "/3317/0/5700": 0.131,
          "/3328/0/5700": 30,
        },
        writes: [
          { path: "/3306/0/5850", value: true, raw: "ON", held },
          { path: "/3306/0/5850", value: false, raw: "OFF", held },
        ],
      },
    ];
    client.on("message", (_topic, payload) => {
      const command = payload.toString();
      if (command !== "" && this.temper === "obeys") this.#state = command;
      if (this.temper !== "is silent") client.publish(`stat/${ID}/POWER`, this.#state);
    });
  }

  static async open(programs: Programs): Promise<BrokerPart> {
    const port = await freePort();
    const file = join(programs.folder, "mosquitto.conf");
    writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\n`);
    // The shell joins the streams, for the first line is what `start` waits for.
    await programs.start("/bin/sh", ["-c", `exec mosquitto -c ${file} 2>&1`]);
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 50 });
    const part = new BrokerPart(client, port);
    await client.subscribeAsync(`cmnd/${ID}/POWER`);
    await client.publishAsync(`tele/${ID}/LWT`, "Online", { retain: true });
    await part.measure(21);
    return part;
  }

  /** Tells what it measures, with this power in W. */
  async measure(power: number): Promise<void> {
    const energy = { ...SENSOR, Power: power, Voltage: 230, Current: 0.131 };
    const payload = JSON.stringify({ Time: "2026-01-01T10:20:30", ENERGY: energy });
    await this.#client.publishAsync(`tele/${ID}/SENSOR`, payload, { retain: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync(true);
  }
}
