/** A Modbus TCP server with holding registers 0 to 59 in units 1 to 100. `PORT` */
import { createServer } from "node:net";
import { mbapFrame } from "../../adapters/modbus/mbap-transport.js";
import { SlaveUnit } from "../../adapters/modbus/slave.js";

const HEADER_LENGTH = 7;
const port = Number(process.argv[2]);
const unit = new SlaveUnit();
for (let register = 0; register < 60; register++) unit.set("holding", register, register);
createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  // The clients here send a request at a time, which comes whole.
  socket.on("data", (bytes) => {
    const answer = unit.respond(bytes.subarray(HEADER_LENGTH));
    socket.write(mbapFrame(bytes.readUInt16BE(0), bytes.readUInt8(6), answer));
  });
}).listen(port, "127.0.0.1", () => console.log("ready"));
