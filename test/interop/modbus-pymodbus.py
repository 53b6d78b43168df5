"""A Modbus slave by pymodbus: unit 1 with every type in every order, as pymodbus itself encodes them.

Arguments: "tcp" PORT or "rtu" PATH. The first line on standard output is the layout, as JSON.
"""
import json
import sys

from pymodbus.constants import Endian
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.server import StartSerialServer, StartTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer

ORDERS = {
    "ABCD": (Endian.Big, Endian.Big),
    "CDAB": (Endian.Big, Endian.Little),
    "BADC": (Endian.Little, Endian.Big),
    "DCBA": (Endian.Little, Endian.Little),
}
VALUES = {
    "int16": (-12345, "add_16bit_int"),
    "uint16": (54321, "add_16bit_uint"),
    "int32": (-123456789, "add_32bit_int"),
    "uint32": (4000000001, "add_32bit_uint"),
    "int64": (-1234567890123456789, "add_64bit_int"),
    "uint64": (18000000000000000001, "add_64bit_uint"),
    "float32": (-123.5, "add_32bit_float"),
    "float64": (3.141592653589793, "add_64bit_float"),
}


def layout():
    registers, points = [0] * 10, []
    for order, (byte_order, word_order) in ORDERS.items():
        for kind, (value, add) in VALUES.items():
            builder = BinaryPayloadBuilder(byteorder=byte_order, wordorder=word_order)
            getattr(builder, add)(value)
            points.append({"type": kind, "order": order, "register": len(registers), "value": str(value)})
            registers += builder.to_registers()
    builder = BinaryPayloadBuilder(byteorder=Endian.Big, wordorder=Endian.Big)
    builder.add_string("pymodbus")
    points.append({"type": "string", "order": "ABCD", "register": len(registers), "value": "pymodbus"})
    return registers + builder.to_registers(), points


def main():
    registers, points = layout()
    bits = [index % 3 == 0 for index in range(40)]
    slave = ModbusSlaveContext(
        di=ModbusSequentialDataBlock(0, bits),
        co=ModbusSequentialDataBlock(0, list(bits)),
        hr=ModbusSequentialDataBlock(0, registers),
        ir=ModbusSequentialDataBlock(0, list(registers)),
        zero_mode=True,
    )
    context = ModbusServerContext(slaves={1: slave}, single=False)
    print(json.dumps(points), flush=True)
    if sys.argv[1] == "tcp":
        StartTcpServer(
            context=context,
            framer=ModbusSocketFramer,
            address=("127.0.0.1", int(sys.argv[2])),
            ignore_missing_slaves=True,
        )
    else:
        StartSerialServer(
            context=context, framer=ModbusRtuFramer, port=sys.argv[2], baudrate=115200, ignore_missing_slaves=True
        )


main()
