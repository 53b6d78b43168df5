/** Loaded into a gateway beside its program: tells every few seconds how late timers of its event loop were. */
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 10;
const REPORT_MS = 5000;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const late = (ns: number): string => Math.max(0, ns / 1e6 - RESOLUTION_MS).toFixed(2);

delay.enable();
setInterval(() => {
  console.log(`loop late by ${late(delay.percentile(99))} ms p99, ${late(delay.max)} ms max`);
  delay.reset();
}, REPORT_MS).unref();
