import { freemem, totalmem } from "node:os";
import type { Clock } from "./base/clock.js";
import { packageVersion } from "./base/package-root.js";
import type { GatewayConfig } from "./config/config.js";
import { addDevice, type Device, type DeviceFacts } from "./lwm2m/objects/device.js";
import { ObjectTree } from "./lwm2m/tree.js";
import { Bridge, type BridgeOptions } from "./mapping/bridge.js";
import type { InstanceTable } from "./mapping/instances.js";

/** What servers will see, before any server or device has been spoken to. */
export interface Exposure {
  readonly tree: ObjectTree;
  readonly bridge: Bridge;
  readonly device: Device;
}

export interface ExposureOptions extends BridgeOptions {
  readonly clock: Clock;
  readonly instances: InstanceTable;
  readonly reboot: () => void;
}

/** Exposure `flat`: every device's objects are further instances in the gateway's own tree. */
export function expose(config: GatewayConfig, options: ExposureOptions): Exposure {
  const { clock, instances, reboot } = options;
  const tree = new ObjectTree();
  const device = addDevice(tree, config.models, deviceFacts(reboot), clock);
  const bridge = new Bridge(options);
  for (const { field, profile, report } of config.devices) {
    const adapter = config.adapters.get(profile.adapter);
    bridge.addDevice({
      name: field.name,
      profile,
      tree,
      report,
      instanceId: (objectId, ordinal) => instances.instanceId(field.name, objectId, ordinal),
      kindOf: (point) => adapter?.kind?.(profile.points.get(point)?.point.address),
    });
  }
  return { tree, bridge, device };
}

function deviceFacts(reboot: () => void): DeviceFacts {
  const toKb = (bytes: number): number => Math.floor(bytes / 1024);
  return {
    manufacturer: "Causeway",
    modelNumber: "Causeway gateway",
    firmwareVersion: packageVersion(),
    softwareVersion: packageVersion(),
    deviceType: "gateway",
    binding: "U",
    memoryFreeKb: () => toKb(freemem()),
    memoryTotalKb: () => toKb(totalmem()),
    reboot,
  };
}
