import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type MqttClient } from "mqtt";
import type { FieldDevice, FieldPart } from "./field-part.js";
import { freePort, type Programs } from "./modbus-programs.js";

const ID = "tasmota_4F21A0";
const LINK = "mosquitto";
const SENSOR = {
  TotalStartTime: "2025-01-01T00:00:00",
  Total: 3.185,
  Power: 21,
  ApparentPower: 30,
  ReactivePower: 22,
  Factor: 0.7,
  Voltage: 230,
  Current: 0.131,
};

/** A Tasmota plug that speaks through a real broker. */
export class BrokerPart implements FieldPart {
  readonly links: FieldPart["links"];
  readonly devices: readonly FieldDevice[];
  readonly #programs: Programs;
  readonly #port: number;
  #broker: ChildProcess | undefined;
  temper: "obeys" | "disobeys" | "is silent" = "obeys";
  readonly #client: MqttClient;
  #state = "OFF";
  #sensor = SENSOR;

  private constructor(programs: Programs, port: number) {
    this.#programs = programs;
    this.#port = port;
    this.#client = connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 50 });
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
    this.#client.on("connect", () => {
      this.#client.subscribe(`cmnd/${ID}/POWER`);
      this.#client.publish(`tele/${ID}/LWT`, "Online", { retain: true });
      this.#tell();
    });
    this.#client.on("error", () => undefined);
    this.#client.on("message", (_topic, payload) => {
      const command = payload.toString();
      if (command !== "" && this.temper === "obeys") this.#state = command;
      if (this.temper !== "is silent") this.#client.publish(`stat/${ID}/POWER`, this.#state);
    });
  }

  static async open(programs: Programs): Promise<BrokerPart> {
    const part = new BrokerPart(programs, await freePort());
    await part.start();
    if (!part.#client.connected) await new Promise((resolve) => part.#client.once("connect", resolve));
    return part;
  }

  /** The broker begins, or begins again with nothing. */
  async start(): Promise<void> {
    const file = join(this.#programs.folder, "mosquitto.conf");
    writeFileSync(file, `listener ${this.#port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\n`);
    // The shell joins the streams, for the first line is what `start` waits for.
    const { child } = await this.#programs.start("/bin/sh", ["-c", `exec mosquitto -c ${file} 2>&1`]);
    this.#broker = child;
  }

  stop(): void {
    this.#broker?.kill("SIGKILL");
  }

  /** Tells what it measures from now on, with this power in W and apparent power in VA. */
  measure(power: number, apparentPower: number): void {
    this.#sensor = { ...SENSOR, Power: power, ApparentPower: apparentPower };
    this.#tell();
  }

  #tell(): void {
    const payload = JSON.stringify({ Time: "2026-01-01T10:20:30", ENERGY: this.#sensor });
    this.#client.publish(`tele/${ID}/SENSOR`, payload, { retain: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync(true);
  }
}
