/** A broker to which 100 stations publish, 5,000 messages a second in all. */
import { SmallBroker } from "../../adapters/mqtt/small-broker.js";
import { MESSAGES_PER_S, payloadOf, STATIONS, topicOf } from "./mqtt-site.js";

const STEP_MS = 10;

const broker = await SmallBroker.listen();
let published = 0;
const startedMs = performance.now();
setInterval(() => {
  const due = Math.floor(((performance.now() - startedMs) * MESSAGES_PER_S) / 1000);
  for (; published < due; published++) broker.publish(topicOf(published % STATIONS), payloadOf(published));
}, STEP_MS);
process.stdout.write(`port ${broker.port}\n`);
