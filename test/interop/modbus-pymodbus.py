"""A Modbus slave by pymodbus: unit 1 with every type in every order, as pymodbus itself encodes them.

Arguments: "tcp" or "udp" and PORT, "tls" and PORT:CERTIFICATE:KEY, "rtu" or "ascii" and PATH. The first line on standard output is the layout, as JSON.
"""
import json
import sys

from pymodbus.constants import Endian
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server import StartSerialServer, StartTcpServer, StartTlsServer, StartUdpServer
from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer, ModbusSocketFramer

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
    transport, place = sys.argv[1:]
    common = {
        "context": context,
        "ignore_missing_slaves": True,
        "identity": ModbusDeviceIdentification(
            info_name={"VendorName": "Interop", "ProductCode": "PY-1", "MajorMinorRevision": "3.0"}
        ),
    }
    if transport in ("rtu", "ascii"):
        framer = ModbusRtuFramer if transport == "rtu" else ModbusAsciiFramer
        StartSerialServer(framer=framer, port=place, baudrate=115200, **common)
        return
    port, *files = place.split(":")
    common.update(framer=ModbusSocketFramer, address=("127.0.0.1", int(port)))
    if transport == "tls":
        StartTlsServer(certfile=files[0], keyfile=files[1], **common)
    elif transport == "udp":
        StartUdpServer(**common)
    else:
        StartTcpServer(**common)


main()
