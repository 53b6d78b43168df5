/** The npm package `coap` serving the bytes of a Read. `PORT FORMAT` */
import { createServer } from "coap";
import { payloadOf, type ReadFormat } from "./payloads.js";

const payload = Buffer.from(payloadOf(process.argv[3] as ReadFormat));
const server = createServer((request, response) => {
  if (request.url !== "/read") response.code = "4.04";
  response.end(request.url === "/read" ? payload : "");
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
