import { type Clock, type Log, type ProfileCandidate, type Scalar, toHex } from "causeway/adapter";
import type { Advertisement } from "./advertisement.js";
import type { BlePoint } from "./options.js";
import { KEY_MISSING } from "./packet.js";
import { PacketMemory } from "./packet-memory.js";
import { StationDecoder } from "./station-decoder.js";

/** How a device that was heard fits a profile. */
export interface Fit {
  readonly profile: string;
  /** Points of the profile that had a good value in what was heard, and all that devices advertise. */
  readonly good: number;
  readonly advertised: number;
  /** What was heard is of the profile's format, but cannot be read without a key. */
  readonly isSealed: boolean;
}

/** Packets of one device that differ: some tell their data by turns. */
const MAX_PACKETS = 16;

/** What was heard of one device. */
export class HeardDevice {
  readonly address: string;
  name: string | undefined;
  rssi: number | undefined;
  count = 0;
  heardAtMs = 0;
  readonly #packets = new Map<string, Advertisement>();

  constructor(address: string) {
    this.address = address;
  }

  add(heard: Advertisement, nowMs: number): void {
    this.count++;
    this.heardAtMs = nowMs;
    this.name = heard.name ?? this.name;
    this.rssi = heard.rssi ?? this.rssi;
    const { manufacturer, services } = heard;
    if (manufacturer === undefined && services === undefined) return;
    const key = [...(manufacturer ?? []), ...(services ?? [])].map(([id, bytes]) => `${id}=${toHex(bytes)}`).join();
    if (this.#packets.size < MAX_PACKETS || this.#packets.has(key)) this.#packets.set(key, heard);
  }

  get packets(): readonly Advertisement[] {
    return [...this.#packets.values()];
  }
}

/** The profiles that can make something of what a device advertised, the best first. */
export function recognise(
  device: HeardDevice,
  profiles: readonly ProfileCandidate<BlePoint>[],
  context: { readonly clock: Clock; readonly log: Log },
): readonly Fit[] {
  const fits = profiles.map((profile) => fitOf(device, profile, context));
  return fits
    .filter(({ good, isSealed }) => good > 0 || isSealed)
    .toSorted((a, b) => b.good / b.advertised - a.good / a.advertised || b.good - a.good);
}

function fitOf(
  { address, name, packets }: HeardDevice,
  { name: profile, points, traits, plausible }: ProfileCandidate<BlePoint>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Fit {
  const advertised = points.filter(({ address: { at } }) => at.gatt === undefined && at.radio === undefined);
  const isNamed = advertised.every(({ address: { at } }) => at.name === undefined || name?.startsWith(at.name));
  const station = { name: address, address: { address }, traits };
  const good = new Map<string, Scalar>();
  let isSealed = false;
  for (const packet of isNamed ? packets : []) {
    const decoder = new StationDecoder(station, advertised, { clock, log, memory: new PacketMemory() });
    for (const reading of decoder.decode(packet)) {
      if (reading.quality === "good") good.set(reading.point, reading.value);
      else if ("reason" in reading && reading.reason === KEY_MISSING.reason) isSealed = true;
    }
  }
  const isPlausible = plausible.every(({ point, holds }) => {
    const value = good.get(point.name);
    return value === undefined || holds(value);
  });
  return { profile, good: isPlausible ? good.size : 0, advertised: advertised.length, isSealed };
}
