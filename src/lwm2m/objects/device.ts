import type { Clock } from "../../base/clock.js";
import { CausewayError } from "../../base/errors.js";
import type { ModelRegistry } from "../model/model.js";
import type { ObjectTree, ResourceHandler, WrittenValue } from "../tree.js";
import type { Value } from "../value.js";
import { requireModel } from "./require-model.js";

/** What is known of the machine, or of a device behind it; what is absent is not exposed. */
export interface DeviceFacts {
  readonly manufacturer?: string;
  readonly modelNumber: string;
  readonly serialNumber?: string;
  readonly firmwareVersion?: string;
  readonly softwareVersion?: string;
  readonly hardwareVersion?: string;
  readonly deviceType?: string;
  /** Supported Binding and Modes /3/0/16. */
  readonly binding: string;
  /** Kilobytes; asked at each read. */
  memoryFreeKb?(): number;
  memoryTotalKb?(): number;
  /** Carries Reboot /3/0/4 out; returns before the process ends, so that the server gets its answer. */
  reboot?(): void;
  /** Carries Factory Reset /3/0/5 out, likewise. */
  factoryReset?(): void;
}

export interface Device {
  /** Replaces Error Code /3/0/11, values of OMA LwM2M Core 1.2 Table E.4-1; empty means "no error". */
  setErrors(codes: readonly number[]): void;
}

/** Adds object 3, with live time, and memory where it is known; throws LWM2M_MODEL when the definition is missing. */
export function addDevice(tree: ObjectTree, models: ModelRegistry, facts: DeviceFacts, clock: Clock): Device {
  const setErrors = (codes: readonly number[]): void => {
    const shown = codes.length === 0 ? [NO_ERROR] : codes;
    const known = tree.resource(3, 0, ERROR_CODE)?.samples.keys() ?? [];
    for (const id of [...known]) if (id >= shown.length) tree.unset([3, 0, ERROR_CODE, id]);
    for (const [id, value] of shown.entries()) tree.set([3, 0, ERROR_CODE, id], { value, atMs: clock.nowMs() });
  };
  const { memoryFreeKb, memoryTotalKb, reboot, factoryReset } = facts;
  const handlers = new Map<number, ResourceHandler>([
    [12, { execute: async () => setErrors([]) }],
    [13, currentTime(clock)],
    [TIMEZONE, hostTimezone(() => tree.resource(3, 0, TIMEZONE)?.samples.size !== 0)],
  ]);
  if (reboot !== undefined) handlers.set(4, { execute: async () => reboot() });
  if (factoryReset !== undefined) handlers.set(5, { execute: async () => factoryReset() });
  if (memoryFreeKb !== undefined) handlers.set(10, { read: () => Math.round(memoryFreeKb()) });
  if (memoryTotalKb !== undefined) handlers.set(21, { read: () => Math.round(memoryTotalKb()) });
  const values: readonly [number, Value | undefined][] = [
    [0, facts.manufacturer],
    [1, facts.modelNumber],
    [2, facts.serialNumber],
    [3, facts.firmwareVersion],
    [14, utcOffset(clock.nowMs())],
    [16, facts.binding],
    [17, facts.deviceType],
    [18, facts.hardwareVersion],
    [19, facts.softwareVersion],
  ];
  tree.addInstance(requireModel(models, 3), 0, handlers);
  for (const [resourceId, value] of values) {
    if (value !== undefined) tree.set([3, 0, resourceId], { value, atMs: clock.nowMs() });
  }
  setErrors([]);
  return { setErrors };
}

const ERROR_CODE = 11;
const TIMEZONE = 15;
const NO_ERROR = 0;

// Asking for it takes as long as a tenth of a start, so it is asked for when a server wants it.
function hostTimezone(isWritten: () => boolean): ResourceHandler {
  return { read: () => (isWritten() ? undefined : Intl.DateTimeFormat().resolvedOptions().timeZone) };
}

// The machine's clock is not the server's to set: what it writes is kept as the difference.
function currentTime(clock: Clock): ResourceHandler {
  let offsetS = 0;
  const nowS = (): number => Math.floor(clock.nowMs() / 1000);
  return {
    read: () => nowS() + offsetS,
    async write(value: WrittenValue) {
      if (typeof value !== "number") throw new CausewayError("VALUE_INVALID", "/3/0/13 takes seconds since 1970");
      offsetS = value - nowS();
    },
  };
}

/** ISO 8601, e.g. `+02:00`. */
function utcOffset(nowMs: number): string {
  const minutes = -new Date(nowMs).getTimezoneOffset();
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}
