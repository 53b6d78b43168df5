import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SmallBroker } from "../../../adapters/mqtt/small-broker.js";
import { MqttRig } from "./mqtt-rig.js";
import { mqttPoint, mqttStation } from "./points.js";

const forever = new AbortController().signal;
const temperature = mqttPoint("temperature", { at: { topic: "z/{id}", json: "temperature" } });
const humidity = mqttPoint("humidity", { at: { topic: "z/{id}", json: "humidity" } });
const lamp = mqttPoint(
  "lamp",
  { at: { topic: "z/{id}", json: "state" }, write: { topic: "z/{id}/set", json: "state" } },
  "rw",
);
const AVAILABILITY = { topic: "z/{id}/availability", json: "state", offline: "offline" };

let rig: MqttRig;
beforeEach(async () => {
  rig = await MqttRig.listen();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

describe("stations of a broker", () => {
  it("are told apart by their topics, and each message says what it says", async () => {
    await rig.open([
      [mqttStation("a"), [temperature, humidity]],
      [mqttStation("b"), [temperature]],
    ]);
    await rig.subscribed(2);
    rig.broker.publish("z/a", '{"temperature":21.5,"humidity":40}');
    rig.broker.publish("z/b", '{"temperature":-3}');
    rig.broker.publish("z/c", '{"temperature":99}');
    rig.broker.publish("z/a", '{"humidity":41,"linkquality":7}');
    expect(await rig.news(4)).toEqual([
      "a.temperature good 21.5",
      "a.humidity good 40",
      "b.temperature good -3",
      "a.humidity good 41",
    ]);
    expect([rig.health("a"), rig.health("b")]).toEqual(["online", "online"]);
  });

  it("may share a topic, and each gets what the broker kept", async () => {
    rig.broker.publish("all", '{"a":{"t":1},"b":{"t":2}}', "retained");
    const shared = mqttPoint("t", { at: { topic: "all", json: "{id}.t" } });
    await rig.open([
      [mqttStation("a"), [shared]],
      [mqttStation("b"), [shared]],
    ]);
    await rig.subscribed(1);
    expect(new Set(await rig.news(2))).toEqual(new Set(["a.t good 1", "b.t good 2"]));
  });

  it("that send garbage have invalid values only where it stands", async () => {
    const plain = mqttPoint("plain", { at: { topic: "p/{id}" }, type: "number" });
    await rig.open([[mqttStation("a"), [temperature, plain]]]);
    await rig.subscribed(2);
    rig.broker.publish("z/a", "{temperature");
    rig.broker.publish("p/a", "7");
    rig.broker.publish("z/a", `{"temperature":1,"x":"${"y".repeat(300_000)}"}`);
    rig.broker.publish("z/a", new Uint8Array());
    expect(await rig.news(4)).toEqual([
      "a.temperature invalid",
      "a.plain good 7",
      "a.temperature invalid",
      "a.temperature invalid",
    ]);
    rig.broker.publish("z/a", '{"temperature":5}');
    expect(await rig.news(1)).toEqual(["a.temperature good 5"]);
  });
});

describe("what the broker kept", () => {
  it.each([
    ["good", ["a.temperature good 20", "a.temperature good 21"]],
    ["stale", ["a.temperature stale 20", "a.temperature good 21"]],
    ["ignore", ["a.temperature good 21"]],
  ] as const)("is %s where the profile says so", async (retained, news) => {
    rig.broker.publish("z/a", '{"temperature":20}', "retained");
    await rig.open([[mqttStation("a", { retained }), [temperature]]]);
    await rig.subscribed(1);
    rig.broker.publish("z/a", '{"temperature":21}');
    expect(await rig.news(news.length)).toEqual(news);
  });
});

describe("availability", () => {
  const devices = [[mqttStation("a", { availability: AVAILABILITY }), [temperature]]] as const;

  it("takes a station's values away and gives them back with its return", async () => {
    await rig.open(devices);
    await rig.subscribed(2);
    rig.broker.publish("z/a", '{"temperature":20}');
    rig.broker.publish("z/a/availability", '{"state":"offline"}');
    rig.broker.publish("z/a/availability", "offline");
    rig.broker.publish("z/a/availability", '{"state":"online"}');
    expect(await rig.news(3)).toEqual(["a.temperature good 20", "a.temperature timeout", "a.temperature good 20"]);
    expect(rig.logged.filter(({ msg }) => msg === "device offline")).toMatchObject([
      { reason: "z/a/availability says 'offline'" },
    ]);
  });

  it("counts more than a value that the broker kept, and less than the station's own word", async () => {
    rig.broker.publish("z/a", '{"temperature":20}', "retained");
    rig.broker.publish("z/a/availability", '{"state":"offline"}', "retained");
    await rig.open(devices);
    await rig.subscribed(2);
    await rig.until(() => rig.health("a") === "offline");
    rig.broker.publish("z/a", '{"temperature":21}');
    expect(await rig.news(1)).toEqual(["a.temperature good 21"]);
    expect(rig.health("a")).toBe("online");
  });

  it("may come from several topics, of which each must agree", async () => {
    const bridge = { topic: "z/bridge/state", online: "online" };
    await rig.open([[mqttStation("a", { availability: [AVAILABILITY, bridge] }), [temperature]]]);
    await rig.subscribed(3);
    rig.broker.publish("z/a", '{"temperature":20}');
    rig.broker.publish("z/bridge/state", "starting");
    rig.broker.publish("z/a/availability", "offline");
    rig.broker.publish("z/bridge/state", "online");
    rig.broker.publish("z/a/availability", "online");
    expect(await rig.news(3)).toEqual(["a.temperature good 20", "a.temperature timeout", "a.temperature good 20"]);
  });

  it("is also a last will, and stations are asked again when they return", async () => {
    const request = [{ topic: "z/{id}/get", payload: '{"state":"{id}"}' }];
    await rig.open([[mqttStation("a", { availability: AVAILABILITY, request }), [temperature]]]);
    await rig.until(() => rig.published.length === 1);
    await rig.clock.advance(0);
    rig.broker.publish("z/a/availability", "offline");
    await rig.until(() => rig.health("a") === "offline");
    rig.broker.publish("z/a/availability", "online");
    await rig.until(() => rig.published.length === 2);
    expect(rig.published).toEqual(['z/a/get {"state":"a"}', 'z/a/get {"state":"a"}']);
  });
});

describe("a write", () => {
  const outcome = async (written: Promise<void> | undefined): Promise<string | undefined> =>
    await written?.then(
      () => "confirmed",
      (error: Error & { code?: string }) => error.code,
    );

  beforeEach(async () => {
    const button = mqttPoint("button", { at: { topic: "z/{id}/press" } }, "w");
    await rig.open([[mqttStation("a"), [lamp, button]]]);
    await rig.subscribed(1);
  });

  it("is confirmed by the state that the station then publishes", async () => {
    const written = outcome(rig.field?.write("a", "lamp", "ON", forever));
    await rig.until(() => rig.published.length === 1);
    expect(rig.published).toEqual(['z/a/set {"state":"ON"}']);
    rig.broker.publish("z/a", '{"state":"ON"}');
    expect(await written).toBe("confirmed");
    expect(await rig.news(1)).toEqual(["a.lamp good ON"]);
  });

  it.each([
    [[], "FIELD_TIMEOUT"],
    [['{"state":"OFF"}'], "FIELD_NOT_CONFIRMED"],
    [["{"], "FIELD_NOT_CONFIRMED"],
  ])("after which the station says %o ends with %s", async (said, code) => {
    const written = outcome(rig.field?.write("a", "lamp", "ON", forever));
    await rig.until(() => rig.published.length === 1);
    for (const payload of said) rig.broker.publish("z/a", payload);
    await rig.news(said.length);
    await rig.until(() => rig.bus?.exchanges === 1);
    await rig.clock.advance(5000);
    expect(await written).toBe(code);
  });

  it("of what has no state is done when the broker has it", async () => {
    expect(await outcome(rig.field?.write("a", "button", "2", forever))).toBe("confirmed");
    expect(rig.published).toEqual(["z/a/press 2"]);
    expect(rig.health("a")).toBe("unknown");
  });

  it("that the broker never got is not sent later", async () => {
    rig.broker.cutOff();
    await rig.until(() => rig.bus?.state === "down");
    const written = outcome(rig.field?.write("a", "button", "2", forever));
    await rig.restart();
    await rig.clock.advance(400);
    expect(rig.published).toEqual([]);
    await rig.clock.advance(100);
    await rig.until(() => rig.bus?.state === "up");
    expect(await written).toBe("confirmed");
    expect(rig.published).toEqual(["z/a/press 2"]);
  });
});

it("a write that a broker does not acknowledge ends with its signal", async () => {
  let isPublished = false;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", ([header = 0]) => {
      // CONNACK to CONNECT, nothing to what follows (MQTT 3.1.1 §3).
      if (header === 0x10) socket.write(Uint8Array.of(0x20, 2, 0, 0));
      if (header >> 4 === 3) isPublished = true;
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const button = mqttPoint("button", { at: { topic: "z/{id}/press" } }, "w");
  const field = await rig.open([[mqttStation("a"), [button]]], { host: "127.0.0.1", port });
  await rig.until(() => rig.bus?.state === "up");
  const stop = new AbortController();
  const written = field.write("a", "button", "2", stop.signal).catch((error: Error) => error.message);
  await rig.until(() => isPublished);
  stop.abort(new Error("enough"));
  expect(await written).toBe("enough");
  server.close();
});

describe("the session with the broker", () => {
  it("is opened again, with all subscriptions, and values are stale meanwhile", async () => {
    await rig.open([[mqttStation("a"), [temperature]]]);
    await rig.subscribed(1);
    rig.broker.publish("z/a", '{"temperature":20}');
    await rig.news(1);
    await rig.restart();
    expect(await rig.news(1)).toEqual(["a.temperature stale"]);
    await rig.clock.advance(500);
    await rig.subscribed(1);
    rig.broker.publish("z/a", '{"temperature":21}');
    expect(await rig.news(1)).toEqual(["a.temperature good 21"]);
    expect(rig.bus?.opened).toBe(2);
  });

  it("is refused, which is told once and tried on, and the password shows nowhere", async () => {
    let attempts = 0;
    await using strict = await SmallBroker.listen({
      admit: ({ username, password }) => {
        attempts++;
        return username === "me" && String(password) === "open sesame" ? 0 : 4;
      },
    });
    const options = { host: "127.0.0.1", port: strict.port, username: "me" };
    await rig.open([[mqttStation("a"), [temperature]]], { ...options, password: "wrong horse" });
    await rig.until(() => rig.bus?.state === "down");
    expect(rig.bus?.fault).toEqual({
      code: "LINK_UNAUTHORIZED",
      message: `127.0.0.1:${strict.port} refuses user or password`,
    });
    while (attempts < 3) await rig.clock.advance(1);
    expect(rig.logged.filter(({ msg }) => msg === "field link down")).toHaveLength(1);
    expect(JSON.stringify([rig.logged, rig.field?.status()])).not.toContain("wrong horse");
  });

  it("takes its password from where the reference points", async () => {
    const seen: string[] = [];
    await using strict = await SmallBroker.listen({
      admit: ({ username, password, clientId }) => seen.push(`${username} ${password} ${clientId}`) && 0,
    });
    const password = ["$", "{env:MQTT_PASSWORD}"].join("");
    const options = { url: `mqtt://127.0.0.1:${strict.port}`, username: "me", password };
    await rig.open([[mqttStation("a"), [temperature]]], { ...options, clientId: "gateway-7" });
    await rig.until(() => rig.bus?.state === "up");
    expect(seen).toEqual(["me open sesame gateway-7"]);
    expect(rig.bus?.medium).toBe(`mqtt me@127.0.0.1:${strict.port} as gateway-7`);
  });

  it("needs PEM files that are some", async () => {
    await rig.open([[mqttStation("a"), [temperature]]], { ...rig.link, cert: "package.json", key: "package.json" });
    await rig.until(() => rig.bus?.state === "down");
    expect(rig.bus?.fault).toMatchObject({ code: "LINK_CERTIFICATE", message: expect.stringContaining("no PEM file") });
  });

  it("tells when a topic may not be subscribed to, and tries again", async () => {
    let permitted = false;
    await using strict = await SmallBroker.listen({ permit: () => permitted });
    await rig.open([[mqttStation("a"), [temperature]]], { host: "127.0.0.1", port: strict.port });
    await rig.until(() => rig.logged.some(({ msg }) => msg === "device cannot be watched yet"));
    expect(JSON.stringify(rig.logged)).toContain(`127.0.0.1:${strict.port} refuses to subscribe to z/a`);
    permitted = true;
    strict.publish("z/a", '{"temperature":20}', "retained");
    await rig.clock.advance(5000);
    expect(await rig.news(1)).toEqual(["a.temperature good 20"]);
  });

  it.each([
    ["nobody listens", undefined, "LINK_REFUSED", /nothing listens/],
    ["somebody else listens", "HTTP/1.1 400 Bad Request\r\n\r\n", "LINK_FAILED", /is not MQTT/],
    ["somebody else greets", "SSH-2.0-OpenSSH_9.2\r\n", "LINK_FAILED", /what came from 127\.0\.0\.1:\d+ is not MQTT/],
    ["nothing is answered", "", "LINK_FAILED", /did not answer/],
  ])("is not to be had where %s", async (_, answer, code, message) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      if (answer !== undefined && answer !== "") socket.end(answer);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    if (answer === undefined) server.close();
    await rig.open([[mqttStation("a"), [temperature]]], { host: "127.0.0.1", port });
    if (answer === "") {
      await once(server, "connection");
      await rig.clock.advance(10_000);
    }
    await rig.until(() => rig.bus?.state === "down");
    expect(rig.bus?.fault).toMatchObject({ code, message: expect.stringMatching(message) });
    server.close();
  });
});
