/** What the stations of the MQTT benchmark publish. */
export const STATIONS = 100;
export const MESSAGES_PER_S = 5000;
const TOLD_EVERY_MS = 250;

export function topicOf(station: number): string {
  return `zigbee2mqtt/0x00158d000${station}`;
}

export function payloadOf(message: number): string {
  const temperature = 20 + (message % 100) / 10;
  return `{"battery":97,"humidity":52.1,"linkquality":120,"pressure":989.3,"temperature":${temperature},"voltage":3005}`;
}

/** Counts what was heard, and tells it several times a second. */
export function tellCount(heard: () => number): void {
  setInterval(() => process.stdout.write(`heard ${heard()}\n`), TOLD_EVERY_MS);
}
