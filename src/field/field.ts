import type { Clock } from "../base/clock.js";
import type { Log } from "../base/log.js";
import type { Scope } from "../base/scope.js";
import type { AnyAdapter, DeviceTraits, Point } from "./adapter.js";
import type { BusStatus } from "./bus.js";
import type { DeviceStatus, PollPeriods } from "./device.js";
import type { Reading, Scalar } from "./reading.js";

/** One entry of `links`; the options have been read by the adapter's schema. */
export interface LinkConfig {
  readonly name: string;
  readonly adapter: string;
  readonly options: unknown;
}

/** One entry of `devices` joined with its profile; the address has been read by the adapter's schema. */
export interface DeviceConfig {
  readonly name: string;
  readonly link: string;
  readonly address: unknown;
  readonly traits: DeviceTraits;
  readonly points: readonly Point<unknown>[];
  readonly poll: PollPeriods;
}

export interface FieldOptions {
  readonly links: readonly LinkConfig[];
  readonly devices: readonly DeviceConfig[];
  /** Rejects with ADAPTER_UNKNOWN. */
  readonly loadAdapter: (name: string) => Promise<AnyAdapter>;
  readonly clock: Clock;
  readonly log: Log;
  /** Hears of everything that was read, also of faults and of what a write read back; must not throw. */
  readonly onReadings: (device: string, readings: readonly Reading[]) => void;
  /** Spreads reconnects, 0 ≤ x < 1; Math.random unless given. */
  readonly random?: () => number;
}

export interface FieldStatus {
  readonly buses: readonly BusStatus[];
  readonly devices: readonly DeviceStatus[];
}

/** All buses and devices of a gateway, polled from `openField` until the scope closes. */
export interface Field {
  /**
   * Returns when the device has confirmed the value by reading it back. Rejects with FIELD_*, LINK_*, VALUE_INVALID,
   * FIELD_NOT_WRITABLE for a point that is not there, or the signal's reason.
   */
  write(device: string, point: string, value: Scalar, signal: AbortSignal): Promise<void>;
  /** Reads every readable point of a device once, now; readings are also given to `onReadings`. */
  read(device: string, signal: AbortSignal): Promise<readonly Reading[]>;
  status(): FieldStatus;
}

/**
 * Builds one bus per medium and a device for each entry, and starts polling. Rejects with ADAPTER_UNKNOWN or
 * CONFIG_INVALID; a link that cannot be opened is retried and never fails the start.
 */
export async function openField(options: FieldOptions, scope: Scope): Promise<Field> {
  throw new Error(`not built yet: ${options.links.length} ${scope.signal.aborted}`);
}
