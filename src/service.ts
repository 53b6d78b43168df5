import { type Clock, sleep } from "./base/clock.js";
import type { Log } from "./base/log.js";
import type { BusStatus } from "./field/bus.js";

/** Node has no datagram sockets of AF_UNIX, so states go to systemd through its own command (sd_notify(3)). */
export async function notifyService(state: string, environment: NodeJS.ProcessEnv, log: Log): Promise<void> {
  if (environment["NOTIFY_SOCKET"] === undefined) return;
  const { spawn } = await import("node:child_process");
  await new Promise<void>((resolve) => {
    const child = spawn("systemd-notify", [state], { stdio: "ignore" });
    child.once("error", (error) => {
      log.warn("systemd cannot be notified", { state, error });
      resolve();
    });
    child.once("exit", () => resolve());
  });
}

/** What a bus did up to a moment; two of them show whether it lives. */
export type BusProgress = Pick<BusStatus, "medium" | "state" | "exchanges" | "queued">;

/** Buses that are up and had work waiting all the time but finished none of it. Pure. */
export function stalledBuses(before: readonly BusProgress[], now: readonly BusProgress[]): readonly string[] {
  return now
    .filter((bus) => {
      const then = before.find(({ medium }) => medium === bus.medium);
      const waiting = then !== undefined && then.queued > 0 && bus.queued > 0;
      return waiting && bus.state === "up" && then.state === "up" && bus.exchanges === then.exchanges;
    })
    .map(({ medium }) => medium);
}

interface WatchdogOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
  buses(): readonly BusProgress[];
}

/**
 * Feeds systemd's watchdog (WATCHDOG_USEC) at a third of its time, unless a bus is stuck: then systemd restarts the
 * service. Returns at once without a watchdog.
 */
export async function feedWatchdog(options: WatchdogOptions, signal: AbortSignal): Promise<void> {
  const { environment, clock, log } = options;
  const periodMs = Number(environment["WATCHDOG_USEC"]) / 3000;
  if (!(periodMs > 0)) return;
  let before = options.buses();
  while (!signal.aborted) {
    await sleep(clock, periodMs, signal);
    const now = options.buses();
    const stalled = stalledBuses(before, now);
    before = now;
    if (stalled.length === 0) await notifyService("WATCHDOG=1", environment, log);
    else log.error("a bus makes no progress; the watchdog is not fed", { buses: stalled });
  }
}
