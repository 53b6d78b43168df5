/** `unknown` until the device has answered or been silent for long enough. */
export type HealthState = "unknown" | "online" | "offline";
