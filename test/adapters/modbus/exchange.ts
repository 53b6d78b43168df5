import type { Request, Transport } from "../../../adapters/modbus/transport.js";
import { fromHex, toHex } from "../../../src/base/bytes.js";

export const TIMEOUT_MS = 1000;
/** Reads holding register 0. */
export const READ = "0300000001";

/** The outcome is the answer's hex or the error's code; wrapped, so that nobody waits for it by accident. */
export function exchange(
  transport: Transport,
  pdu = READ,
  request: Partial<Request> = {},
  signal: AbortSignal = new AbortController().signal,
): { readonly outcome: Promise<string> } {
  const whole = { unit: 1, pdu: fromHex(pdu), responseTimeoutMs: TIMEOUT_MS, gapMs: 0, ...request };
  return { outcome: transport.exchange(whole, signal).then(toHex, (error) => String(error.code ?? error.message)) };
}
