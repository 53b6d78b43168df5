import type { MqttPoint, MqttProtocol } from "../../../adapters/mqtt/options.js";
import type { Point, Station } from "../../../src/field/adapter.js";
import type { Variables } from "../../../src/field/template.js";

export function mqttPoint(name: string, address: MqttPoint, access: "r" | "rw" | "w" = "r"): Point<MqttPoint> {
  return { name, access, pollClass: "normal", address };
}

/** A station whose topics have its name in the place of `{id}`. */
export function mqttStation(id: string, protocol: MqttProtocol = {}): Station<Variables> {
  return { name: id, address: new Map([["id", id]]), traits: { protocol } };
}
