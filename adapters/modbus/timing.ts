import { characterMs, type DeviceTraits } from "causeway/adapter";
import { asciiFraming } from "./ascii-framing.js";
import { isAscii, isSerial, type ModbusLinkOptions, serialSettings } from "./options.js";
import type { RegisterBytes } from "./register-bytes.js";
import { rtuFraming } from "./rtu-framing.js";

/** What a link's speed says of frames. */
export interface Timing {
  /** Time of one character on the wire; 0 on TCP and UDP. */
  readonly characterMs: number;
  /** Characters of a frame besides those of its PDU. */
  readonly frameCharacters: number;
  readonly charactersPerByte: number;
  /** Silence that ends a frame: 3.5 characters, 1.75 ms above 19200 Bd (Modbus over Serial Line V1.02 §2.5.1.1). */
  readonly silenceMs: number;
  /** Silence before another unit than the last one is asked. */
  readonly unitPauseMs: number;
  /** What an answer takes besides its bytes: the device's own time. */
  readonly latencyMs: number;
  readonly responseTimeoutMs: number;
}

const SERIAL_LATENCY_MS = 10;
const TCP_LATENCY_MS = 5;
/** What is measured counts within these limits, lest one strange device shape all plans. */
const LATENCY_MIN_MS = 1;
const LATENCY_MAX_MS = 200;
const RESPONSE_TIMEOUT_MS = 1000;
/** On TCP a register more costs nothing; still nobody wants to read far beyond what was asked. */
const TCP_MAX_GAP = 50;
/** A slow device behind a fast line: more than a whole request is never read along. */
const SERIAL_MAX_GAP = 120;
/** Of a read: function, register and count; and of its answer: function and byte count. */
const REQUEST_PDU_BYTES = 5;
const ANSWER_PDU_BYTES = 2;

/** `latencyMs` is what was measured on the line, if anything was. */
export function timingOf(options: ModbusLinkOptions, latencyMs?: number): Timing {
  const responseTimeoutMs = options.responseTimeout ?? RESPONSE_TIMEOUT_MS;
  const framing = isAscii(options) ? asciiFraming : rtuFraming;
  const { frameCharacters, charactersPerByte } = framing;
  const common = {
    frameCharacters,
    charactersPerByte,
    unitPauseMs: options.unitPause ?? 0,
    responseTimeoutMs,
  };
  if (!isSerial(options)) return { ...common, characterMs: 0, silenceMs: 0, latencyMs: TCP_LATENCY_MS };
  const settings = serialSettings(options);
  const perCharacterMs = characterMs(settings);
  const silenceMs = settings.baudRate > 19200 ? 1.75 : 3.5 * perCharacterMs;
  const measuredMs = Math.min(Math.max(latencyMs ?? SERIAL_LATENCY_MS, LATENCY_MIN_MS), LATENCY_MAX_MS);
  return { ...common, characterMs: perCharacterMs, silenceMs, latencyMs: measuredMs };
}

/** Time on the medium of one read whose answer carries so many bytes of data. */
export function exchangeMs(timing: Timing, dataBytes: number, traits: DeviceTraits): number {
  const bytes = REQUEST_PDU_BYTES + ANSWER_PDU_BYTES + dataBytes;
  const characters = 2 * timing.frameCharacters + timing.charactersPerByte * bytes;
  const gapMs = Math.max(timing.silenceMs, traits.requestGapMs ?? 0);
  return characters * timing.characterMs + timing.silenceMs + gapMs + timing.latencyMs;
}

/** Registers that are cheaper to read along than to leave out by a second request. */
export function gapLimit(timing: Timing, traits: DeviceTraits, registerBytes: RegisterBytes = 2): number {
  if (traits.maxGap !== undefined) return traits.maxGap;
  if (timing.characterMs === 0) return TCP_MAX_GAP;
  const registerMs = registerBytes * timing.charactersPerByte * timing.characterMs;
  return Math.min(Math.floor(exchangeMs(timing, 0, traits) / registerMs), SERIAL_MAX_GAP);
}
