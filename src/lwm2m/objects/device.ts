import type { Clock } from "../../base/clock.js";
import { CausewayError } from "../../base/errors.js";
import type { ModelRegistry } from "../model.js";
import type { ObjectTree } from "../tree.js";

/** What the composition root knows of the machine; texts that are absent are not exposed. */
export interface DeviceFacts {
  readonly manufacturer: string;
  readonly modelNumber: string;
  readonly serialNumber?: string;
  readonly firmwareVersion: string;
  readonly softwareVersion?: string;
  readonly hardwareVersion?: string;
  readonly deviceType?: string;
  /** Supported Binding and Modes /3/0/16. */
  readonly binding: string;
  /** Kilobytes; asked at each read. */
  memoryFreeKb(): number;
  memoryTotalKb(): number;
  /** Carries Reboot /3/0/4 out; returns before the process ends, so that the server gets its answer. */
  reboot(): void;
}

export interface Device {
  /** Replaces Error Code /3/0/11, values of OMA LwM2M Core 1.2 Table E.4-1; empty means "no error". */
  setErrors(codes: readonly number[]): void;
}

/** Adds object 3 with live time and memory; throws LWM2M_MODEL when the definition is missing. */
export function addDevice(_tree: ObjectTree, _models: ModelRegistry, _facts: DeviceFacts, _clock: Clock): Device {
  throw new CausewayError("INTERNAL", "not built yet");
}
