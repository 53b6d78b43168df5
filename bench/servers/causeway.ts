/** Our endpoint, one per peer, as many LwM2M clients in one process have it. `PORT PEER_PORT PEERS` */
import { utf8Encode } from "../../src/base/bytes.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Code } from "../../src/coap/code.js";
import { CoapEndpoint } from "../../src/coap/endpoint.js";
import { openUdp } from "../../src/coap/udp.js";
import { RESOURCE_TEXT } from "./resource.js";

const [port = 0, peerPort = 0, peers = 0] = process.argv.slice(2).map(Number);
const context = { clock: systemClock, log: silentLog, random: Math.random };
const endpoints: CoapEndpoint[] = [];
for (let index = 0; index < peers; index++) {
  const addresses = { host: "127.0.0.1", port: peerPort + index, localPort: port + index };
  const transport = await openUdp(addresses, new AbortController().signal);
  endpoints.push(
    new CoapEndpoint(
      transport,
      (request) =>
        request.path[0] === "time"
          ? { code: Code.Content, contentFormat: 0, payload: utf8Encode(RESOURCE_TEXT) }
          : { code: Code.NotFound, payload: new Uint8Array(0) },
      context,
    ),
  );
}
console.log("ready", endpoints.length);
