import type { FaultPlan } from "../../adapters/modbus/simulator.js";
import type { Value } from "../../src/lwm2m/value.js";
import { latin } from "../adapters/serial/serial-rig.js";
import { THERMOSTAT } from "./field-ble.js";
import type { BrokerPart } from "./field-broker.js";
import { modbusSimulator } from "./field-simulated.js";
import type { Field } from "./field-site.js";

type Misbehave = (field: Field) => () => void;

/** A write that must not be carried out. */
export interface Refusal {
  readonly why: string;
  readonly device: string;
  readonly path: string;
  readonly value: Value;
  /** What Leshan is told: 400 is CoAP's 4.00. */
  readonly code: number;
  /** What the device does from now on, and how it comes to its senses. */
  readonly misbehave?: Misbehave;
}

const WRITE_SINGLE_COIL = 5;
/** MT-SICS: T, what a tare begins with. */
const TARE = 0x54;

const RELAY = { device: "relay-8", path: "/3306/2/5850", value: true };
const PLUG = { device: "tasmota-at-mosquitto", path: "/3306/0/5850", value: true };
const SCALE = { device: "mt-sics-scale", path: "/3306/1/5850", value: true };
const SET_POINT = { device: THERMOSTAT, path: "/3308/0/5900", value: 18 };

export const REFUSALS: readonly Refusal[] = [
  { why: "beyond the range", device: "carel-ir33", path: "/3308/0/5900", value: 500, code: 400 },
  { why: "too large for the register", device: "pzem-016", path: "/3308/0/5900", value: 70_000, code: 400 },
  { why: "beyond the range", ...SET_POINT, value: 31, code: 400 },
  { why: "not in the map", ...SCALE, value: false, code: 400 },
  { why: "read only", device: "ruuvi-rawv2", path: "/3303/0/5700", value: 20, code: 405 },
  { why: "silent", ...RELAY, code: 500, misbehave: relays(() => ({ kind: "silent" })) },
  { why: "exception 2", ...RELAY, code: 400, misbehave: relays(() => ({ kind: "exception", code: 2 })) },
  { why: "exception 6", ...RELAY, code: 503, misbehave: relays(() => ({ kind: "exception", code: 6 })) },
  { why: "tells its old state", ...PLUG, code: 500, misbehave: plug("disobeys") },
  { why: "silent", ...PLUG, code: 500, misbehave: plug("is silent") },
  { why: "command not known", ...SCALE, code: 400, misbehave: scale("EL\r\n") },
  { why: "silent", ...SCALE, code: 500, misbehave: scale("") },
  { why: "not permitted", ...SET_POINT, code: 405, misbehave: thermostat("org.bluez.Error.NotPermitted") },
  { why: "out of reach", ...SET_POINT, code: 500, misbehave: thermostat("out of reach") },
];

function relays(plan: FaultPlan): Misbehave {
  return ({ modbus }) => {
    const simulator = modbusSimulator(modbus);
    simulator.misbehave((unit, pdu) => (pdu[0] === WRITE_SINGLE_COIL ? plan(unit, pdu) : undefined));
    return () => simulator.misbehave(() => undefined);
  };
}

function plug(temper: BrokerPart["temper"]): Misbehave {
  return ({ broker }) => {
    broker.temper = temper;
    return () => {
      broker.temper = "obeys";
    };
  };
}

function scale(answer: string): Misbehave {
  return ({ serial }) => {
    const simulator = serial.simulator("mt-sics-scale");
    simulator.misbehave((_, request) => (request[0] === TARE ? latin(answer) : undefined));
    return () => simulator.misbehave(() => undefined);
  };
}

function thermostat(why: string): Misbehave {
  return ({ ble }) => {
    if (why === "out of reach") ble.takeAway();
    else ble.refuse(why);
    return () => ble.bringBack();
  };
}
