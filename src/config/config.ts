import type { HostPort } from "../base/host-port.js";
import type { LogLevel } from "../base/log.js";
import type { AnyAdapter } from "../field/adapter.js";
import type { DeviceConfig, LinkConfig } from "../field/field.js";
import type { Scalar } from "../field/reading.js";
import type { BootstrapAccount, ServerAccount } from "../lwm2m/account/account.js";
import type { AlternatePath } from "../lwm2m/alternate-path.js";
import type { ModelRegistry } from "../lwm2m/model/model.js";
import type { Profile } from "../mapping/profile.js";
import type { Report } from "../mapping/report.js";
import type { FurtherObject } from "./further-objects.js";
import type { ServerRights } from "./rights.js";

/** How samples that no server could take are delivered afterwards: by Send, by stored notifications, or not at all. */
export type History = "send" | "notify" | "none";

export interface ServerConfig {
  readonly account: ServerAccount;
  readonly history: History;
  /** Absent for a server that may do everything. */
  readonly rights?: ServerRights;
}

export interface BootstrapConfig {
  readonly account: BootstrapAccount;
  /** Whether a bootstrap begins with a Bootstrap-Pack-Request. */
  readonly pack: "try" | "never";
  /** Of the servers that a bootstrap gives. */
  readonly history: History;
}

/** How servers see a device (docs/configuration.md). */
export type ExposureMode = "flat" | "gateway" | "endpoints";

export interface DeviceExposure {
  readonly mode: ExposureMode;
  /** Endpoint name in mode `endpoints`, Device ID /25/x/0 in mode `gateway`; unique. */
  readonly id: string;
  /** Prefix /25/x/1; unique among the devices in mode `gateway`. */
  readonly prefix: string;
}

/** A device of the configuration, with its profile, on both sides of the gateway. */
export interface ConfiguredDevice {
  readonly field: DeviceConfig;
  readonly profile: Profile;
  readonly exposure: DeviceExposure;
  readonly report: ReadonlyMap<string, Report>;
  /** Values that stand in the place of points, in the unit of the profile. */
  readonly manual: ReadonlyMap<string, Scalar>;
}

export interface OutboxConfig {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly overflow: "drop-oldest" | "drop-newest";
}

/** A configuration without a mistake; nothing has been opened yet, secrets are still references. */
export interface GatewayConfig {
  readonly file: string;
  readonly endpoint: string;
  /** Of every endpoint. */
  readonly alternatePath: AlternatePath;
  readonly stateFolder: string;
  readonly logLevel: LogLevel;
  /** What becomes of the registrations at SIGTERM: ended, or kept for the next start. */
  readonly onStop: "deregister" | "keep";
  /** What the gateway shows beside what it has anyway. */
  readonly objects: ReadonlySet<FurtherObject>;
  /** Which test specification's objects are added; "none" except in tests. */
  readonly conformance: "none" | "oma-ets";
  /** There is one at least, or a bootstrap server. */
  readonly servers: readonly ServerConfig[];
  readonly bootstrap?: BootstrapConfig;
  readonly links: readonly LinkConfig[];
  readonly devices: readonly ConfiguredDevice[];
  readonly outbox: OutboxConfig;
  /** Where the status API listens; absent where there is none. */
  readonly local?: HostPort;
  readonly adapters: ReadonlyMap<string, AnyAdapter>;
  readonly models: ModelRegistry;
}
