import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mqtt } from "../../adapters/mqtt/index.js";
import type { MqttLinkOptions } from "../../adapters/mqtt/options.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import { type Field, openField } from "../../src/field/field.js";
import { defineAdapter, type Reading } from "../../src/field/index.js";
import { mqttPoint, mqttStation } from "../adapters/mqtt/points.js";
import { freePort, Programs, until } from "./modbus-programs.js";

const forever = new AbortController().signal;
const AVAILABILITY = { topic: "z/{id}/availability" };
const temperature = mqttPoint("temperature", { at: { topic: "z/{id}", json: "t" } });
const lamp = mqttPoint("lamp", { at: { topic: "z/{id}", json: "lamp" }, write: { topic: "z/{id}/set" } }, "rw");
const button = mqttPoint("button", { at: { topic: "z/{id}/press" } }, "w");

/** A real broker, its clients, and a field that listens to it. */
class Mosquitto implements AsyncDisposable {
  readonly programs = new Programs();
  readonly scope = new Scope((error) => {
    throw error;
  });
  readonly told: Reading[] = [];
  port = 0;
  child: ChildProcess | undefined;
  field: Field | undefined;
  #settings: readonly string[] = [];

  async start(settings: readonly string[] = ["allow_anonymous true"]): Promise<void> {
    this.port = await freePort();
    this.#settings = settings;
    await this.restart();
  }

  async restart(): Promise<void> {
    const file = join(this.programs.folder, "mosquitto.conf");
    writeFileSync(file, [`listener ${this.port} 127.0.0.1`, ...this.#settings, "log_dest stderr", ""].join("\n"));
    // The shell joins the streams, for the first line is what `start` waits for.
    const script = `PATH="$PATH:/usr/sbin" exec mosquitto -c ${file} 2>&1`;
    this.child = (await this.programs.start("/bin/sh", ["-c", script])).child;
    await until(() => this.#answers());
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  get link(): MqttLinkOptions {
    return { host: "127.0.0.1", port: this.port };
  }

  get bus() {
    return this.field?.status().buses[0];
  }

  health(): string | undefined {
    return this.field?.status().devices[0]?.health;
  }

  async open(options: MqttLinkOptions = this.link): Promise<Field> {
    const { address, name, traits } = mqttStation("a", { availability: AVAILABILITY });
    this.field = await openField(
      {
        links: [{ name: "broker", adapter: "mqtt", options }],
        devices: [
          {
            name,
            link: "broker",
            address,
            traits,
            points: [temperature, lamp, button],
            poll: { fastMs: 1000, normalMs: 1000, slowMs: 1000 },
          },
        ],
        loadAdapter: async () => defineAdapter(mqtt),
        clock: systemClock,
        log: silentLog,
        onReadings: (_, readings) => this.told.push(...readings),
      },
      this.scope,
    );
    return this.field;
  }

  heard(value: unknown): Promise<void> {
    return until(() => this.told.some((reading) => reading.quality === "good" && reading.value === value));
  }

  publish(topic: string, payload: string, ...more: readonly string[]): void {
    this.client("mosquitto_pub", ["-t", topic, "-m", payload, "-q", "1", ...more]);
  }

  client(program: string, args: readonly string[]): string {
    return execFileSync(program, ["-h", "127.0.0.1", "-p", String(this.port), ...args], { encoding: "utf8" });
  }

  /** The gateway's subscription cannot be seen, but what it does with a message can. */
  async publishUntilHeard(value: number): Promise<void> {
    await until(() => {
      this.publish("z/a", `{"t":${value}}`);
      return this.told.some((reading) => reading.quality === "good" && reading.value === value);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child?.kill("SIGCONT");
    await this.scope[Symbol.asyncDispose]();
    await this.programs[Symbol.asyncDispose]();
  }

  async #answers(): Promise<boolean> {
    const probe = spawn("mosquitto_pub", ["-h", "127.0.0.1", "-p", String(this.port), "-t", "probe", "-n"], {
      stdio: "ignore",
    });
    const [code] = await once(probe, "exit");
    // 5: it answers, but refuses a client without a name.
    return code === 0 || code === 5 || this.#settings.some((line) => line.startsWith("cafile"));
  }
}

let broker: Mosquitto;
beforeEach(() => {
  broker = new Mosquitto();
});
afterEach(async () => {
  await broker[Symbol.asyncDispose]();
});

describe("mosquitto", () => {
  it.each([4, 5])("serves messages, kept ones and commands, protocol level %i", async (protocol) => {
    await broker.start();
    broker.publish("z/a", '{"t":20}', "-r");
    const field = await broker.open({ ...broker.link, protocol });
    await broker.heard(20);
    broker.publish("z/a", '{"t":21.5}');
    await broker.heard(21.5);
    const script =
      'mosquitto_sub -h 127.0.0.1 -p $0 -t z/a/set -C 1 | sed \'s/.*/{"lamp":"&"}/\' | mosquitto_pub -h 127.0.0.1 -p $0 -t z/a -l';
    const { child } = await broker.programs.start("/bin/sh", ["-c", `echo ready; ${script}`, String(broker.port)]);
    const confirmed = until(
      async () =>
        await field.write("a", "lamp", "ON", forever).then(
          () => true,
          () => false,
        ),
    );
    await confirmed;
    await broker.heard("ON");
    child.kill();
  });

  it("tells of a last will", async () => {
    await broker.start();
    await broker.open();
    await broker.publishUntilHeard(20);
    const will = ["--will-topic", "z/a/availability", "--will-payload", "offline", "--will-retain"];
    const { child } = await broker.programs.start("/bin/sh", [
      "-c",
      `echo ready; exec mosquitto_sub -h 127.0.0.1 -p ${broker.port} -t x ${will.join(" ")}`,
    ]);
    await until(() => Number(broker.client("mosquitto_sub", ["-t", "$SYS/broker/clients/connected", "-C", "1"])) >= 0);
    child.kill("SIGKILL");
    await until(() => broker.health() === "offline");
    expect(broker.told.at(-1)).toMatchObject({ quality: "timeout", reason: "z/a/availability says 'offline'" });
  });

  it("is found again after a restart", async () => {
    await broker.start();
    await broker.open();
    await broker.publishUntilHeard(20);
    await broker.stop();
    await until(() => broker.bus?.state === "down");
    await broker.restart();
    await broker.publishUntilHeard(21);
    expect(broker.bus?.opened).toBe(2);
  });

  it.each([4, 5])(
    "keeps for the gateway what it missed, where the link says so, protocol level %i",
    async (protocol) => {
      await broker.start();
      const options = { ...broker.link, protocol, clean: false, clientId: "kept" };
      {
        await using first = new Mosquitto();
        first.port = broker.port;
        await first.open(options);
        await first.publishUntilHeard(20);
      }
      broker.publish("z/a", '{"t":33}');
      await broker.open(options);
      await broker.heard(33);
    },
  );

  it("that is frozen is given up, and found again when it goes on", async () => {
    await broker.start();
    await broker.open({ ...broker.link, keepalive: 1000, connectTimeout: 1000 });
    await broker.publishUntilHeard(20);
    broker.child?.kill("SIGSTOP");
    await until(() => broker.bus?.state === "down");
    expect(broker.bus?.fault?.code).toBe("LINK_FAILED");
    broker.child?.kill("SIGCONT");
    await broker.publishUntilHeard(21);
  });

  it("wants a password, and a topic that is not allowed is told", async () => {
    const folder = broker.programs.folder;
    execFileSync("mosquitto_passwd", ["-c", "-b", join(folder, "passwords"), "me", "open sesame"]);
    writeFileSync(join(folder, "acl"), "user me\ntopic read z/#\n");
    const files = [`password_file ${join(folder, "passwords")}`, `acl_file ${join(folder, "acl")}`];
    await broker.start(["allow_anonymous false", ...files, "user root"]);
    await broker.open({ ...broker.link, username: "me", password: "wrong", protocol: 5 });
    await until(() => broker.bus?.state === "down");
    expect(broker.bus?.fault?.code).toBe("LINK_UNAUTHORIZED");
    await using second = new Mosquitto();
    second.port = broker.port;
    const field = await second.open({ ...broker.link, username: "me", password: "open sesame", protocol: 5 });
    await until(() => second.bus?.state === "up");
    await expect(field.write("a", "button", "1", forever)).rejects.toMatchObject({ code: "FIELD_NOT_WRITABLE" });
  });

  it("is trusted by its certificate only", async () => {
    const folder = broker.programs.folder;
    const at = (name: string): string => join(folder, name);
    const make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"];
    const names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", at("key.pem"), "-out", at("cert.pem")];
    execFileSync("openssl", [...make, ...names], { stdio: "pipe" });
    const tls = [`cafile ${at("cert.pem")}`, `certfile ${at("cert.pem")}`, `keyfile ${at("key.pem")}`];
    await broker.start(["allow_anonymous true", ...tls, "user root"]);
    await broker.open({ url: `mqtts://127.0.0.1:${broker.port}` });
    await until(() => broker.bus?.state === "down");
    expect(broker.bus?.fault?.code).toBe("LINK_CERTIFICATE");
    await using second = new Mosquitto();
    second.port = broker.port;
    await second.open({ url: `mqtts://127.0.0.1:${broker.port}`, ca: at("cert.pem") });
    await until(() => second.bus?.state === "up");
    broker.client("mosquitto_pub", ["-t", "z/a", "-m", '{"t":7}', "-r", "--cafile", at("cert.pem")]);
    await second.heard(7);
  });
});
