/** The npm package `coap` as server. `PORT` */
import { createServer } from "coap";
import { RESOURCE_TEXT } from "./resource.js";

const server = createServer((request, response) => {
  if (request.url !== "/time") response.code = "4.04";
  else response.setOption("Content-Format", "text/plain");
  response.end(request.url === "/time" ? RESOURCE_TEXT : "");
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
