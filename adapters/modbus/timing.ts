import { characterMs, type DeviceTraits } from "causeway/adapter";
import { type ModbusLinkOptions, serialSettings } from "./options.js";

/** What a link's speed says of frames. */
export interface Timing {
  /** Time of one character on the wire; 0 on TCP. */
  readonly characterMs: number;
  /** Silence that ends a frame: 3.5 characters, 1.75 ms above 19200 Bd (Modbus over Serial Line V1.02 §2.5.1.1). */
  readonly silenceMs: number;
  /** What an answer takes besides its bytes: the device's own time. */
  readonly latencyMs: number;
  readonly responseTimeoutMs: number;
}

const SERIAL_LATENCY_MS = 10;
const TCP_LATENCY_MS = 5;
const RESPONSE_TIMEOUT_MS = 1000;
/** On TCP a register more costs nothing; still nobody wants to read far beyond what was asked. */
const TCP_MAX_GAP = 50;
const REQUEST_CHARACTERS = 8;
const ANSWER_CHARACTERS = 5;

export function timingOf(options: ModbusLinkOptions): Timing {
  const responseTimeoutMs = options.responseTimeout ?? RESPONSE_TIMEOUT_MS;
  const isSerial = options.transport === "rtu" || options.baudRate !== undefined;
  if (options.transport === "tcp" || !isSerial) {
    return { characterMs: 0, silenceMs: 0, latencyMs: TCP_LATENCY_MS, responseTimeoutMs };
  }
  const settings = serialSettings(options);
  const perCharacterMs = characterMs(settings);
  const silenceMs = settings.baudRate > 19200 ? 1.75 : 3.5 * perCharacterMs;
  return { characterMs: perCharacterMs, silenceMs, latencyMs: SERIAL_LATENCY_MS, responseTimeoutMs };
}

/** Time on the medium of one read whose answer carries so many bytes of data. */
export function exchangeMs(timing: Timing, dataBytes: number, traits: DeviceTraits): number {
  const characters = REQUEST_CHARACTERS + ANSWER_CHARACTERS + dataBytes;
  const gapMs = Math.max(timing.silenceMs, traits.requestGapMs ?? 0);
  return characters * timing.characterMs + timing.silenceMs + gapMs + timing.latencyMs;
}

/** Registers that are cheaper to read along than to leave out by a second request. */
export function gapLimit(timing: Timing, traits: DeviceTraits): number {
  if (traits.maxGap !== undefined) return traits.maxGap;
  if (timing.characterMs === 0) return TCP_MAX_GAP;
  return Math.floor(exchangeMs(timing, 0, traits) / (2 * timing.characterMs));
}
