import type { BusStatus } from "../field/bus.js";
import type { DeviceStatus } from "../field/device-options.js";
import { jsonScalar, type Reading, type Scalar } from "../field/reading.js";
import type { BootstrapStatus } from "../lwm2m/bootstrap/bootstrap-session.js";
import type { RegistrationStatus } from "../lwm2m/client-options.js";
import type { OutboxCounters } from "../outbox/outbox.js";

export interface EndpointEntry {
  readonly endpoint: string;
  readonly servers: readonly RegistrationStatus[];
  /** Absent where no bootstrap server is known. */
  readonly bootstrap?: BootstrapStatus;
}

/** What the document is made of. */
export interface StatusSource {
  readonly endpoints: readonly EndpointEntry[];
  readonly field: { readonly buses: readonly BusStatus[]; readonly devices: readonly DeviceStatus[] };
  /** By device: what is known of each point, with values after scaling. */
  readonly points: ReadonlyMap<string, readonly KnownPoint[]>;
  readonly outbox: OutboxCounters;
}

/** A point with its value in its unit, or why there is none. */
export interface KnownPoint {
  readonly name: string;
  readonly quality: Reading["quality"];
  readonly atMs?: number;
  readonly value?: Scalar;
  readonly unit?: string;
  readonly reason?: string;
}

/** What `GET /status` answers. Names that end in `AtMs` or `SinceMs` are wall clock, milliseconds since 1970. */
export interface StatusDocument {
  readonly program: "causeway";
  readonly version: string;
  readonly startedAtMs: number;
  readonly nowMs: number;
  /** The gateway's own one is the first. */
  readonly endpoints: readonly EndpointEntry[];
  readonly buses: readonly Omit<BusStatus, "trace">[];
  readonly devices: readonly DeviceEntry[];
  readonly outbox: OutboxCounters;
}

export interface DeviceEntry {
  readonly name: string;
  readonly link: string;
  readonly health: DeviceStatus["health"];
  readonly sinceMs: number;
  readonly lastAnswerMs?: number;
  readonly skippedSlots: number;
  readonly points: readonly PointEntry[];
}

export interface PointEntry {
  readonly name: string;
  readonly quality: Reading["quality"];
  /** Absent before anything was read. */
  readonly atMs?: number;
  /** After scaling; 64-bit integers as text beyond what JSON holds, raw bytes as hexadecimal text; absent after a fault. */
  readonly value?: number | string | boolean;
  readonly unit?: string;
  readonly reason?: string;
}

export interface ProgramFacts {
  readonly version: string;
  readonly startedAtMs: number;
}

/** Pure. */
export function statusDocument(
  source: StatusSource,
  { version, startedAtMs }: ProgramFacts,
  nowMs: number,
): StatusDocument {
  const { endpoints, field, points, outbox } = source;
  return {
    program: "causeway",
    version,
    startedAtMs,
    nowMs,
    endpoints,
    buses: field.buses.map(({ trace: _, ...bus }) => bus),
    devices: field.devices.map(({ readings: _, unsupported: __, ...device }) => ({
      ...device,
      points: (points.get(device.name) ?? []).map(pointEntry),
    })),
    outbox,
  };
}

function pointEntry({ value, ...point }: KnownPoint): PointEntry {
  return value === undefined ? point : { ...point, value: jsonScalar(value) };
}

/** What `GET /trace` answers: the last frames of each bus, oldest first. */
export interface TraceDocument {
  readonly program: "causeway";
  readonly buses: readonly (Pick<BusStatus, "medium" | "links" | "opened"> & { readonly frames: BusStatus["trace"] })[];
}

/** Pure. */
export function traceDocument({ field }: StatusSource): TraceDocument {
  const buses = field.buses.map(({ medium, links, opened, trace }) => ({ medium, links, opened, frames: trace }));
  return { program: "causeway", buses };
}
