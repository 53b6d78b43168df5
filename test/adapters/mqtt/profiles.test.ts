import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { stationProblem } from "../../../adapters/mqtt/check.js";
import mqttAdapter from "../../../adapters/mqtt/index.js";
import type { MqttPoint } from "../../../adapters/mqtt/options.js";
import { encodeCommand, fitValue, Message } from "../../../adapters/mqtt/payload.js";
import { StationEar } from "../../../adapters/mqtt/station-ear.js";
import type { Point } from "../../../src/field/adapter.js";
import { fillTemplate } from "../../../src/field/template.js";
import { loadModels } from "../../../src/lwm2m/model/models.js";
import { parsePath } from "../../../src/lwm2m/path.js";
import { ObjectTree } from "../../../src/lwm2m/tree.js";
import type { Value } from "../../../src/lwm2m/value.js";
import { Bridge } from "../../../src/mapping/bridge.js";
import type { Profile } from "../../../src/mapping/profile.js";
import { ProfileShelf, shippedMappings } from "../../../src/mapping/profiles.js";
import { toScalar } from "../../../src/mapping/transform.js";
import { FakeClock } from "../../fakes/clock.js";

interface Example {
  readonly address: Readonly<Record<string, string>>;
  /** As the device's documentation shows them. */
  readonly messages: readonly (readonly [topic: string, payload: string])[];
  readonly tree: Readonly<Record<string, Value>>;
  /** Path and value that a server writes, and what is published then. */
  readonly commands?: readonly (readonly [path: string, value: Value, topic: string, payload: string])[];
  /** What says that the device is gone, where something does. */
  readonly gone?: readonly [topic: string, payload: string];
}

const AVAILABILITY = ["zigbee2mqtt/0x00158d0001/availability", '{"state":"offline"}'] as const;

const EXAMPLES: Readonly<Record<string, Example>> = {
  "zigbee2mqtt-climate": {
    address: { id: "0x00158d0001" },
    messages: [
      [
        "zigbee2mqtt/0x00158d0001",
        '{"battery":97,"humidity":52.1,"linkquality":120,"pressure":989.3,"temperature":21.37,"voltage":3005}',
      ],
    ],
    tree: { "/3303/0/5700": 21.37, "/3303/0/5701": "Cel", "/3304/0/5700": 52.1, "/3411/0/1": 97 },
    gone: AVAILABILITY,
  },
  "zigbee2mqtt-contact": {
    address: { id: "0x00158d0001" },
    messages: [["zigbee2mqtt/0x00158d0001", '{"battery":100,"contact":false,"linkquality":87,"voltage":3055}']],
    tree: { "/3200/0/5500": false, "/3411/0/1": 100 },
    gone: ["zigbee2mqtt/bridge/state", "offline"],
  },
  "zigbee2mqtt-motion": {
    address: { id: "0x00158d0001" },
    messages: [["zigbee2mqtt/0x00158d0001", '{"battery":91,"linkquality":60,"occupancy":true}']],
    tree: { "/3302/0/5500": true, "/3411/0/1": 91 },
    gone: AVAILABILITY,
  },
  "zigbee2mqtt-plug": {
    address: { id: "kitchen/kettle" },
    messages: [
      [
        "zigbee2mqtt/kitchen/kettle",
        '{"current":0.05,"energy":3.21,"linkquality":91,"power":11,"state":"ON","voltage":231}',
      ],
    ],
    tree: {
      "/3306/0/5850": true,
      "/3305/0/5800": 11,
      "/3305/0/5805": 3210,
      "/3316/0/5700": 231,
      "/3317/0/5700": 0.05,
    },
    commands: [["/3306/0/5850", false, "zigbee2mqtt/kitchen/kettle/set", '{"state":"OFF"}']],
    gone: ["zigbee2mqtt/kitchen/kettle/availability", "offline"],
  },
  "tasmota-climate": {
    address: { id: "tasmota_4F21A0", sensor: "SI7021" },
    messages: [
      [
        "tele/tasmota_4F21A0/SENSOR",
        '{"Time":"2026-01-01T10:20:30","SI7021":{"Temperature":21.4,"Humidity":45.2,"DewPoint":9.1},"TempUnit":"C"}',
      ],
    ],
    tree: { "/3303/0/5700": 21.4, "/3304/0/5700": 45.2 },
    gone: ["tele/tasmota_4F21A0/LWT", "Offline"],
  },
  "tasmota-switch": {
    address: { id: "tasmota_4F21A0" },
    messages: [["stat/tasmota_4F21A0/POWER", "ON"]],
    tree: { "/3306/0/5850": true },
    commands: [["/3306/0/5850", false, "cmnd/tasmota_4F21A0/POWER", "OFF"]],
    gone: ["tele/tasmota_4F21A0/LWT", "Offline"],
  },
  "tasmota-plug": {
    address: { id: "tasmota_4F21A0" },
    messages: [
      ["stat/tasmota_4F21A0/POWER", "OFF"],
      [
        "tele/tasmota_4F21A0/SENSOR",
        '{"Time":"2026-01-01T10:20:30","ENERGY":{"TotalStartTime":"2025-01-01T00:00:00","Total":3.185,"Yesterday":1.2,' +
          '"Today":0.5,"Period":0,"Power":21,"ApparentPower":30,"ReactivePower":22,"Factor":0.70,"Voltage":230,"Current":0.131}}',
      ],
    ],
    tree: {
      "/3306/0/5850": false,
      "/3305/0/5800": 21,
      "/3305/0/5805": 3185,
      "/3305/0/5810": 22,
      "/3305/0/5820": 0.7,
      "/3316/0/5700": 230,
      "/3317/0/5700": 0.131,
      "/3328/0/5700": 30,
    },
    commands: [["/3306/0/5850", true, "cmnd/tasmota_4F21A0/POWER", "ON"]],
    gone: ["tele/tasmota_4F21A0/LWT", "Offline"],
  },
  "shelly-gen1-plug": {
    address: { id: "shellyplug-s-C18B12" },
    messages: [
      ["shellies/shellyplug-s-C18B12/relay/0", "on"],
      ["shellies/shellyplug-s-C18B12/relay/0/power", "17.43"],
      ["shellies/shellyplug-s-C18B12/relay/0/energy", "6000"],
    ],
    tree: { "/3306/0/5850": true, "/3305/0/5800": 17.43, "/3305/0/5805": 100 },
    commands: [["/3306/0/5850", false, "shellies/shellyplug-s-C18B12/relay/0/command", "off"]],
    gone: ["shellies/shellyplug-s-C18B12/online", "false"],
  },
  "shelly-gen1-ht": {
    address: { id: "shellyht-F3B7A0" },
    messages: [
      ["shellies/shellyht-F3B7A0/sensor/temperature", "22.50"],
      ["shellies/shellyht-F3B7A0/sensor/humidity", "48.5"],
      ["shellies/shellyht-F3B7A0/sensor/battery", "87"],
    ],
    tree: { "/3303/0/5700": 22.5, "/3304/0/5700": 48.5, "/3411/0/1": 87 },
  },
  "shelly-gen2-switch": {
    address: { id: "shellyplus1pm-a8032ab12345" },
    messages: [
      [
        "shellyplus1pm-a8032ab12345/status/switch:0",
        '{"id":0,"source":"MQTT","output":true,"apower":8.9,"voltage":237.5,"current":0.05,' +
          '"aenergy":{"total":6.532,"by_minute":[45.199,47.141,88.397],"minute_ts":1626935779},"temperature":{"tC":23.5,"tF":74.4}}',
      ],
    ],
    tree: {
      "/3306/0/5850": true,
      "/3305/0/5800": 8.9,
      "/3305/0/5805": 6.532,
      "/3316/0/5700": 237.5,
      "/3317/0/5700": 0.05,
      "/3303/0/5700": 23.5,
    },
    commands: [["/3306/0/5850", false, "shellyplus1pm-a8032ab12345/command/switch:0", "off"]],
    gone: ["shellyplus1pm-a8032ab12345/online", "false"],
  },
};

let shelf: ProfileShelf;
beforeAll(async () => {
  shelf = await ProfileShelf.open([shippedMappings()], new Map([["mqtt", mqttAdapter]]), await loadModels());
});

it("are all shown by an example", () => {
  const files = readdirSync(join(shippedMappings(), "mqtt")).filter((file) => file.endsWith(".yaml"));
  expect(files.map((file) => file.replace(/\.yaml$/, "")).toSorted()).toEqual(Object.keys(EXAMPLES).toSorted());
});

describe.each(Object.entries(EXAMPLES))("%s", (name, { address, messages, tree: expected, commands = [], gone }) => {
  const variables = new Map(Object.entries(address));
  const clock = new FakeClock();
  const tree = new ObjectTree();
  const said: string[] = [];
  let profile: Profile;
  let ear: StationEar;

  beforeAll(async () => {
    const read = (await shelf.read(name))?.profile;
    if (read === undefined) throw new Error(`no profile ${name}`);
    profile = read;
    const bridge = new Bridge({ clock, onSample: () => undefined, writePoint: () => Promise.resolve() });
    const device = { name, profile, tree, report: new Map(), kindOf: () => undefined };
    bridge.addDevice({ ...device, instanceId: (_, ordinal) => ordinal });
    const sink = {
      readings: (readings: Parameters<Bridge["accept"]>[1]) => bridge.accept(name, readings),
      gone: (reason: string) => said.push(reason),
    };
    ear = new StationEar({ name, address: variables, traits: profile.traits }, points(), sink, clock);
  });

  const points = (): Point<MqttPoint>[] => [...profile.points.values()].map(({ point }) => point as Point<MqttPoint>);
  const valueAt = (path: string): Value | undefined => {
    const [objectId = -1, instanceId = -1, resourceId = -1] = parsePath(path);
    return tree.resource(objectId, instanceId, resourceId)?.current(0)?.value;
  };

  it("needs no more of a device's address", () => {
    expect(stationProblem(variables, points(), profile.traits)).toBeUndefined();
  });

  it("shows what the device publishes", () => {
    for (const [topic, payload] of messages) ear.hear(new Message(topic, Buffer.from(payload), "live"));
    for (const [path, value] of Object.entries(expected)) expect(valueAt(path), path).toEqual(value);
  });

  it("notices that the device is gone, where something says so", () => {
    const [topic, payload] = gone ?? ["shellies/shellyht-F3B7A0/online", "false"];
    ear.hear(new Message(topic, Buffer.from(payload), "live"));
    expect(said).toHaveLength(gone === undefined ? 0 : 1);
  });

  it("publishes what servers write", () => {
    expect(points().filter(({ access }) => access !== "r")).toHaveLength(commands.length);
    for (const [path, value, topic, payload] of commands) {
      const [objectId, , resourceId = -1] = parsePath(path);
      const source = profile.objects.find(({ model }) => model.id === objectId)?.resources.get(resourceId);
      const target = profile.points.get(source?.kind === "point" ? source.point : "");
      if (target === undefined) throw new Error(`nothing feeds ${path}`);
      const point = target.point as Point<MqttPoint>;
      const scalar = fitValue(point, toScalar(value, target.transform, mqttAdapter.kind?.(point.address)));
      expect(fillTemplate(point.address.write?.topic ?? "", variables)).toBe(topic);
      expect(Buffer.from(encodeCommand(point.address, scalar, variables)).toString()).toBe(payload);
    }
  });
});
