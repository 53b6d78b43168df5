/** A client with observed temperatures, all of which change in each turn. `PORT PEER_PORT RESOURCES ROUNDS NOTIFICATIONS` */
import { benchTree, registeredClient } from "./bench-client.js";
import { runRounds } from "./rounds.js";

const [port = 0, peerPort = 0, resources = 0, rounds = 0, count = 0] = process.argv.slice(2).map(Number);
const tree = await benchTree(resources);
const client = await registeredClient(tree, { port, peerPort, peers: 1 });
console.log("ready");
while (client.registrations[0]?.observations !== resources) await new Promise((resolve) => setTimeout(resolve, 20));
let step = 0;
await runRounds(rounds, count, () => {
  step++;
  const atMs = Date.now();
  for (let index = 0; index < resources; index++)
    tree.set([3303, index, 5700], { value: index + (step % 100) / 8, atMs });
  return resources;
});
