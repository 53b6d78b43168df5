/** modbus-serial alone, reading the same registers in a loop. `PORT READINGS` */
import modbusSerial from "modbus-serial";
import { MODBUS_DEVICES, MODBUS_REGISTERS, reportCpu } from "./modbus-load.js";

const [port = 0, wanted = 0] = process.argv.slice(2).map(Number);
const report = reportCpu(wanted);
const client = new modbusSerial.default();
await client.connectTCP("127.0.0.1", { port });
client.setTimeout(1000);
for (;;) {
  for (let unit = 1; unit <= MODBUS_DEVICES; unit++) {
    client.setID(unit);
    const { data } = await client.readHoldingRegisters(0, MODBUS_REGISTERS);
    report(data.length);
  }
}
