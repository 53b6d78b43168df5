/** A client of a server per peer, with 100 temperatures; then the load generator takes the peers' ports over. `PORT PEER_PORT PEERS` */
import { benchTree, registeredClient } from "./bench-client.js";
import { INSTANCES } from "./payloads.js";

const [port = 0, peerPort = 0, peers = 0] = process.argv.slice(2).map(Number);
await registeredClient(await benchTree(INSTANCES), { port, peerPort, peers });
console.log("ready");
