import { type FieldTool, type Finding, listenFor, secondsArgument, textArgument, toHex } from "causeway/adapter";
import { Controller } from "./controller.js";
import { SystemBus } from "./dbus.js";
import type { BlePoint } from "./options.js";
import { type Fit, HeardDevice, recognise } from "./recognise.js";
import { shortUuid } from "./uuid.js";

const DEFAULT_SECONDS = 15;
/** Where crowds pass with telephones, addresses change without end. */
const MAX_DEVICES = 5000;

/** `causeway scan ble`: listens to what devices advertise. */
export const scanTool: FieldTool<BlePoint> = {
  summary: "Listens to what Bluetooth devices advertise, and tells the profiles that fit them.",
  synopsis: "[--seconds N]",
  options: {
    seconds: { type: "string", value: "N", summary: `how long to listen, ${DEFAULT_SECONDS} unless given` },
    controller: { type: "string", value: "NAME", summary: "hci0 unless given, or the controller's address" },
    bus: { type: "string", value: "ADDRESS", summary: "of the D-Bus on which BlueZ is; the system's unless given" },
  },
  async run(args, context, signal) {
    const { clock, log, profiles, found, progress } = context;
    const listenMs = secondsArgument(args, DEFAULT_SECONDS);
    const name = textArgument(args, "controller");
    const options = name === undefined ? {} : { controller: name };
    const devices = new Map<string, HeardDevice>();
    try {
      const bus = await SystemBus.open(clock, signal, textArgument(args, "bus"));
      await using controller = await Controller.open(bus, options, { clock, log }, signal);
      using _listening = controller.onAnyAdvertisement((heard, address) => {
        const device = devices.get(address) ?? new HeardDevice(address);
        if (devices.size < MAX_DEVICES) devices.set(address, device);
        device.add(heard, clock.monotonicMs());
        progress(`${devices.size} devices`);
      });
      progress(`listening for ${listenMs / 1000} s`);
      await listenFor(clock, listenMs, controller.closed, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    const nowMs = clock.monotonicMs();
    const rows = [...devices.values()].map((device) => ({ device, fits: recognise(device, profiles, context) }));
    const known = (fits: readonly Fit[]): number => (fits.length > 0 ? 1 : 0);
    rows.sort((a, b) => known(b.fits) - known(a.fits) || (b.device.rssi ?? -128) - (a.device.rssi ?? -128));
    found(...rows.map(({ device, fits }) => findingOf(device, fits, nowMs)));
  },
};

function findingOf(device: HeardDevice, [best, ...others]: readonly Fit[], nowMs: number): Finding {
  const { address, name, rssi, count, heardAtMs, packets } = device;
  const companies = new Map(packets.flatMap(({ manufacturer }) => [...(manufacturer ?? [])]));
  const services = new Map(packets.flatMap(({ services: data }) => [...(data ?? [])]));
  // Who writes a mapping for an unknown device begins with its bytes.
  const bytesOf = (bytes: Uint8Array): string => (best === undefined ? `: ${toHex(bytes)}` : "");
  return {
    address,
    name,
    rssi,
    heard: count,
    ageS: Math.round((nowMs - heardAtMs) / 1000),
    data: [
      ...[...companies].map(
        ([company, bytes]) => `company 0x${company.toString(16).padStart(4, "0")}${bytesOf(bytes)}`,
      ),
      ...[...services].map(([service, bytes]) => `service ${shortUuid(service)}${bytesOf(bytes)}`),
    ],
    profile: best?.profile,
    points: best === undefined ? undefined : best.isSealed ? "needs 'key'" : `${best.good} of ${best.advertised}`,
    also: others.map(({ profile }) => profile),
  };
}
