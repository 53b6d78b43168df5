"""A Modbus slave by pymodbus that a test steers while it runs: unit 1, registers and bits from 0 on.

Arguments: "tcp" PORT or "rtu" PATH. Commands come as one JSON list per line on standard input, answers as one JSON value
per line on standard output; the first line says that the slave is there.

  ["set", TABLE, FIRST, [VALUE, ...]]   TABLE is coil, discrete, holding or input
  ["get", TABLE, FIRST, COUNT]
  ["count", FIRST]      the uint32 in the input registers FIRST and FIRST + 1 grows by one at every read from now on
  ["counted"]           what was answered to reads of it: [[value, milliseconds since 1970], ...]
  ["refuse", CODE]      writes are refused with this Modbus exception, 2 or 4; null accepts them again
  ["silence", UNTIL]    "on": no request is answered; "off"
  ["writes"]            the writes that were carried out: [[table, first, [value, ...], milliseconds], ...]
"""
import json
import logging
import sys
import threading
import time

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.exceptions import NoSuchSlaveException
from pymodbus.server import StartSerialServer, StartTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer

SIZE = 256
TABLES = {"coil": "c", "discrete": "d", "holding": "h", "input": "i"}
WRITES = (5, 6, 15, 16)


def now_ms():
    return time.time_ns() / 1e6


class SteeredSlave(ModbusSlaveContext):
    """Answers the master as the test has said; `lock` keeps a command and a request apart."""

    def __init__(self):
        blocks = {name: ModbusSequentialDataBlock(0, [0] * SIZE) for name in ("di", "co", "hr", "ir")}
        super().__init__(zero_mode=True, **blocks)
        self.lock = threading.Lock()
        self.refusal = None
        self.silence = "off"
        self.counter = None
        self.counted = []
        self.writes = []

    def validate(self, fc_as_hex, address, count=1):
        if self.silence == "on":
            raise NoSuchSlaveException("the slave is silent")
        if fc_as_hex in WRITES and self.refusal == 2:
            return False
        return super().validate(fc_as_hex, address, count)

    def getValues(self, fc_as_hex, address, count=1):
        with self.lock:
            if fc_as_hex == 4 and self.counter is not None and address <= self.counter < address + count:
                value = len(self.counted) + 1
                self.store["i"].setValues(self.counter, [value >> 16, value & 0xFFFF])
                self.counted.append([value, now_ms()])
            return super().getValues(fc_as_hex, address, count)

    def setValues(self, fc_as_hex, address, values):
        if self.refusal == 4:
            raise RuntimeError("the slave refuses writes")
        with self.lock:
            super().setValues(fc_as_hex, address, values)
            table = next(name for name, key in TABLES.items() if key == self.decode(fc_as_hex))
            self.writes.append([table, address, [int(value) for value in values], now_ms()])

    def command(self, verb, *args):
        with self.lock:
            if verb == "set":
                table, first, values = args
                self.store[TABLES[table]].setValues(first, values)
            elif verb == "get":
                table, first, count = args
                return [int(value) for value in self.store[TABLES[table]].getValues(first, count)]
            elif verb == "count":
                self.counter, self.counted = args[0], []
            elif verb == "counted":
                return self.counted
            elif verb == "refuse":
                self.refusal = args[0]
            elif verb == "silence":
                self.silence = args[0]
            elif verb == "writes":
                return self.writes
            else:
                raise ValueError(f"unknown command {verb}")
            return None


def obey(slave):
    for line in sys.stdin:
        print(json.dumps(slave.command(*json.loads(line))), flush=True)


def main():
    # A refused write is what the test wants, not an event.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    slave = SteeredSlave()
    context = ModbusServerContext(slaves={1: slave}, single=False)
    threading.Thread(target=obey, args=(slave,), daemon=True).start()
    print(json.dumps("ready"), flush=True)
    transport, place = sys.argv[1:]
    if transport == "tcp":
        address = ("127.0.0.1", int(place))
        StartTcpServer(context=context, framer=ModbusSocketFramer, address=address, ignore_missing_slaves=True)
    else:
        StartSerialServer(
            context=context, framer=ModbusRtuFramer, port=place, baudrate=115200, ignore_missing_slaves=True
        )


main()
