import { type Clock, sleep } from "../base/clock.js";

/** Returns when the time is over, or with the signal; rejects with the reason for which a connection closed before. */
export async function listenFor(
  clock: Clock,
  ms: number,
  closed: Promise<Error | undefined>,
  signal: AbortSignal,
): Promise<void> {
  const end = new AbortController();
  try {
    const time = sleep(clock, ms, AbortSignal.any([signal, end.signal])).catch(() => undefined);
    const reason = await Promise.race([closed, time]);
    if (reason !== undefined) throw reason;
  } finally {
    end.abort();
  }
}
