import { Buffer } from "node:buffer";
import { type PeripheralSpec, uint16 } from "./peripheral.js";
import type { VhciController } from "./vhci-controller.js";

const ENVIRONMENTAL = 0x181a;
const TEMPERATURE = 0x2a6e;
const RUUVI = 0x0499;
const BTHOME = 0xfcd2;
const RUUVI_FRAME = Buffer.from("0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F", "hex");
const SAY_MS = 1000;

/** One device of the air, as the gateway's configuration has it. */
export interface AirDevice {
  readonly name: string;
  readonly profile: "ruuvi-rawv2" | "bthome-climate" | "gatt-notify" | "gatt-read";
  readonly address: string;
}

export const AIR: readonly AirDevice[] = [
  ...devices(10, "ruuvi-rawv2", 0x10),
  ...devices(5, "bthome-climate", 0x30),
  ...devices(3, "gatt-notify", 0x50),
  ...devices(2, "gatt-read", 0x70),
];

/** Mapping files of the devices with characteristics. */
export const MAPPINGS: Readonly<Record<string, string>> = {
  "gatt-notify": mapping("gatt-notify", "notify"),
  "gatt-read": mapping("gatt-read", "read"),
};

export function peripheralSpecs(): readonly PeripheralSpec[] {
  return AIR.map(({ name, address, profile }) => ({
    address,
    name,
    intervalMs: 500,
    rssi: -60,
    ...(profile.startsWith("gatt")
      ? {
          services: [
            {
              uuid: ENVIRONMENTAL,
              characteristics: [{ uuid: TEMPERATURE, properties: ["read", "notify"], value: uint16(2000) }],
            },
          ],
        }
      : {}),
  }));
}

/** Lets all devices say something new each second. */
export function speak(controller: VhciController): NodeJS.Timeout {
  let count = 0;
  const say = (): void => {
    count++;
    for (const [index, peripheral] of controller.peripherals.entries()) {
      const profile = AIR[index]?.profile;
      if (profile === "ruuvi-rawv2") peripheral.sayManufacturer(RUUVI, ruuviFrame(count));
      else if (profile === "bthome-climate") peripheral.sayService(BTHOME, bthomePacket(count));
      else {
        peripheral.valueOf(TEMPERATURE).value = uint16(2000 + (count % 100));
        controller.notify(peripheral, TEMPERATURE);
      }
    }
  };
  say();
  return setInterval(say, SAY_MS);
}

function ruuviFrame(count: number): Buffer {
  const frame = Buffer.from(RUUVI_FRAME);
  frame.writeUInt16BE(count % 0xffff, 16);
  return frame;
}

function bthomePacket(count: number): Buffer {
  return Buffer.concat([
    Buffer.of(0x40, 0x00, count & 0xff, 0x01, 0x5d, 0x02),
    uint16(2000 + (count % 100)),
    Buffer.of(0x2e, 0x32),
  ]);
}

function devices(count: number, profile: AirDevice["profile"], first: number): AirDevice[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `${profile}-${index + 1}`,
    profile,
    address: `C0:00:00:00:00:${(first + index).toString(16).toUpperCase().padStart(2, "0")}`,
  }));
}

function mapping(name: string, mode: "notify" | "read"): string {
  return `profile: ${name}
title: Environmental sensing, ${mode}
adapter: ble
source: Bluetooth SIG, Environmental Sensing Service
points:
  temperature:
    at: { gatt: { service: 0x181A, characteristic: 0x2A6E }, mode: ${mode} }
    type: int16
    scale: 0.01
    unit: Cel
objects:
  - { object: 3303, resources: { 5700: temperature } }
caveats: [For the system test only]
`;
}
