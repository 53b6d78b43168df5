/** The least that a client can do: subscribe, and parse what comes. */
import { connect } from "mqtt";
import { STATIONS, tellCount, topicOf } from "./mqtt-site.js";

let messages = 0;
tellCount(() => messages);
const client = connect({ host: "127.0.0.1", port: Number(process.argv[2]) });
client.on("connect", () => client.subscribe(Array.from({ length: STATIONS }, (_, station) => topicOf(station))));
client.on("message", (_, payload) => {
  const { temperature, humidity, battery } = JSON.parse(payload.toString());
  if (temperature !== undefined && humidity !== undefined && battery !== undefined) messages++;
});
