import {
  type DeviceTraits,
  type ObjectSchema,
  object,
  type Point,
  REGISTER_ORDERS,
  REGISTER_TYPES,
  type RegisterFormat,
  type RegisterOrder,
  type RegisterType,
  registerCount,
  registerFormatProblem,
  type ScalarKind,
  type SerialLineOptions,
  schema,
} from "causeway/adapter";
import { type RegisterBytes, registerBytesAt, registerBytesProblem } from "./register-bytes.js";

export const TRANSPORTS = ["tcp", "tls", "udp", "rtu", "ascii", "rtu-over-tcp", "ascii-over-tcp"] as const;
export const TABLES = ["coil", "discrete", "holding", "input"] as const;
export type Table = (typeof TABLES)[number];

/** Paths of PEM files, and whom the certificate of the other side must name: `host` unless given. */
export interface ModbusTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  /** `none` takes any certificate: anybody on the way can then read and change everything. */
  readonly verify?: "full" | "none";
}

/** `port` is the path of a serial port for rtu and ascii, otherwise a number: 802 for tls, 502 else, unless given. */
export interface ModbusLinkOptions {
  readonly transport: (typeof TRANSPORTS)[number];
  readonly host?: string;
  readonly port?: number | string;
  /** For rtu-over-tcp and ascii-over-tcp: of the line behind the converter, to reckon its timing. */
  readonly baudRate?: number;
  readonly dataBits?: number;
  readonly parity?: "none" | "even" | "odd";
  readonly stopBits?: number;
  /** Milliseconds from the end of a request to the first byte of its answer. */
  readonly responseTimeout?: number;
  readonly connectTimeout?: number;
  /** Silence on a serial line before another unit than the last one is asked; some meters need 200 ms. */
  readonly unitPause?: number;
  readonly tls?: ModbusTls;
}

export const linkSchema: ObjectSchema<ModbusLinkOptions> = object(
  { transport: schema.oneOf(...TRANSPORTS) },
  {
    host: schema.string,
    port: schema.union(schema.integer(1, 65535), schema.string),
    baudRate: schema.integer(50, 4_000_000),
    dataBits: schema.integer(7, 8),
    parity: schema.oneOf("none", "even", "odd"),
    stopBits: schema.integer(1, 2),
    responseTimeout: schema.durationMs,
    connectTimeout: schema.durationMs,
    unitPause: schema.durationMs,
    tls: object(
      {},
      {
        ca: schema.string,
        cert: schema.string,
        key: schema.string,
        serverName: schema.string,
        verify: schema.oneOf("full", "none"),
      },
    ),
  },
);

/** 0 is the broadcast on a serial line; 255 the device itself on TCP (Modbus Messaging on TCP/IP V1.0b §4.4.2). */
export interface ModbusStation {
  readonly unit: number;
}

export const stationSchema = object({
  unit: schema.refine(schema.integer(0, 255), (unit) =>
    unit > 247 && unit < 255 ? "units 248 to 254 are reserved" : undefined,
  ),
});

export interface ModbusPlace {
  readonly table: Table;
  /** With `model`: counted from the register of the model's id, which is 0. */
  readonly register: number;
  /** Of SunSpec: the one, or the first of these that the device has. Where it stands is found out after each connect. */
  readonly model?: number | readonly number[];
}

export interface ModbusPoint {
  readonly at: ModbusPlace;
  /** bool for coils and discrete inputs, where nothing else is possible; registers must say. */
  readonly type?: RegisterType;
  readonly order?: RegisterOrder;
  readonly bits?: { readonly at: number; readonly width?: number };
  /** Of a string, in registers. */
  readonly length?: number;
  /** Where and how it is written, if not at `at` with the plain function for the type. */
  readonly write?: ModbusWrite;
}

const WRITE_FUNCTIONS = ["single", "multiple", "mask", "read-write"] as const;

export interface ModbusWrite {
  readonly register?: number;
  /**
   * FC5 or 6, FC15 or 16, FC22 (a field of bits changes without being read before), FC23 (written and read back in one
   * request).
   */
  readonly function?: (typeof WRITE_FUNCTIONS)[number];
  readonly verify?: "none" | { readonly delay: number };
  readonly minInterval?: number;
}

const plainPlace = object({ table: schema.oneOf(...TABLES), register: schema.integer(0, 65535) });
const modelId = schema.integer(1, 65534);
const sunspecPlace = object({
  sunspec: object({ model: schema.union(modelId, schema.list(modelId)), offset: schema.integer(0, 65535) }),
});

/** A table and a register, or `sunspec` with a model and the offset in it. */
const place: schema.Schema<ModbusPlace> = {
  json: { anyOf: [plainPlace.json, sunspecPlace.json] },
  read(source, path, problems) {
    const isSunspec = source.kind === "map" && source.entries.some(({ key }) => key === "sunspec");
    if (!isSunspec) return plainPlace.read(source, path, problems);
    const read = sunspecPlace.read(source, path, problems);
    return read === undefined
      ? undefined
      : { table: "holding", register: read.sunspec.offset, model: read.sunspec.model };
  },
};

export const pointSchema: ObjectSchema<ModbusPoint> = object(
  {
    at: place,
  },
  {
    type: schema.oneOf(...REGISTER_TYPES),
    order: schema.oneOf(...REGISTER_ORDERS),
    bits: object({ at: schema.integer(0, 63) }, { width: schema.integer(1, 63) }),
    length: schema.integer(1, 123),
    write: object(
      {},
      {
        register: schema.integer(0, 65535),
        function: schema.oneOf(...WRITE_FUNCTIONS),
        verify: schema.union(schema.literal("none"), object({ delay: schema.durationMs })),
        minInterval: schema.durationMs,
      },
    ),
  },
);

export function linkProblem({ transport, host, port, tls }: ModbusLinkOptions): string | undefined {
  if (tls !== undefined && transport !== "tls") return `'tls' belongs to the transport tls, not to ${transport}`;
  if (isSerialPort({ transport })) {
    if (typeof port !== "string") return `${transport} needs 'port', the path of the serial port`;
    return host === undefined ? undefined : `${transport} has no 'host'; use ${transport}-over-tcp for a serial server`;
  }
  if (host === undefined) return `${transport} needs 'host'`;
  if (typeof port === "string") return `'port' of ${transport} is a number`;
  const isHalf = (tls?.cert === undefined) !== (tls?.key === undefined);
  return isHalf ? "'tls' needs both 'cert' and 'key', or neither" : undefined;
}

/** Whether the link opens a serial port of this machine. */
export function isSerialPort({ transport }: Pick<ModbusLinkOptions, "transport">): boolean {
  return transport === "rtu" || transport === "ascii";
}

export function isAscii({ transport }: Pick<ModbusLinkOptions, "transport">): boolean {
  return transport === "ascii" || transport === "ascii-over-tcp";
}

/** Whether there is a line whose speed is known, here or behind a serial server. */
export function isSerial(options: ModbusLinkOptions): boolean {
  return isSerialPort(options) || (options.transport.endsWith("-over-tcp") && options.baudRate !== undefined);
}

/** Whether stations share a line on which unit 0 is all of them. */
export function isOnSerialLine({ transport }: Pick<ModbusLinkOptions, "transport">): boolean {
  return isSerialPort({ transport }) || transport.endsWith("-over-tcp");
}

const DEFAULT_PORT = 502;
/** Modbus/TCP Security protocol specification §6. */
const TLS_PORT = 802;

/** `host:port` of a link through the network. */
export function networkAddress({ transport, host = "", port }: ModbusLinkOptions): {
  readonly host: string;
  readonly port: number;
} {
  return { host, port: Number(port ?? (transport === "tls" ? TLS_PORT : DEFAULT_PORT)) };
}

export function pointProblem(point: ModbusPoint, traits: DeviceTraits = {}): string | undefined {
  const { at, type, order, bits, length, write } = point;
  if (at.model !== undefined && write?.register !== undefined) {
    return "'write.register' cannot be given with 'sunspec'";
  }
  if (isBitTable(at.table)) {
    if (write?.function === "mask" || write?.function === "read-write") return `a ${at.table} has no ${write.function}`;
    const surplus = [order, bits, length].some((field) => field !== undefined) || (type ?? "bool") !== "bool";
    return surplus ? `a ${at.table} is one bit: type bool, without order, bits and length` : undefined;
  }
  if (type === undefined) return "a register needs 'type'";
  const lastRegister = at.register + registerCount({ ...point, type }) - 1;
  if (lastRegister > 65535) return "ends beyond register 65535";
  if (write !== undefined && at.table === "input" && write.register === undefined) {
    return "an input register is written only elsewhere: give 'write.register'";
  }
  if (write?.function === "mask" && (bits === undefined || registerCount({ ...point, type }) !== 1)) {
    return "'function: mask' changes bits of one register: it needs 'bits' and a type of 16 bits";
  }
  return registerFormatProblem({ ...point, type }) ?? fourBytesProblem(point, { ...point, type }, traits);
}

/** Registers of four bytes are not for every type, nor for every function that writes. */
function fourBytesProblem(
  { at, write }: ModbusPoint,
  format: RegisterFormat,
  traits: DeviceTraits,
): string | undefined {
  if (traits.fourBytes === undefined || at.model !== undefined) return undefined;
  const base = traits.addressBase ?? 0;
  const written = (write?.register ?? at.register) - base;
  const how = write?.function ?? "multiple";
  if (how !== "multiple" && registerBytesAt(written, traits) === 4) {
    return `registers of four bytes ('fourBytes') are written with FC16, which 'function: ${how}' is not`;
  }
  return registerBytesProblem(at.register - base, format, traits) ?? registerBytesProblem(written, format, traits);
}

export function isBitTable(table: Table): boolean {
  return table === "coil" || table === "discrete";
}

export function formatOf(point: ModbusPoint): RegisterFormat {
  return { ...point, type: point.type ?? (isBitTable(point.at.table) ? "bool" : "uint16") };
}

/** Half of all wrong registers are off by one: a profile says what it counts from. */
export function traitsProblem({ addressBase }: DeviceTraits): string | undefined {
  return addressBase === undefined ? "'addressBase' is missing: 0 as on the wire, 1 as most manuals count" : undefined;
}

export function kindOf(point: ModbusPoint): ScalarKind {
  const { type } = formatOf(point);
  return type === "bool" ? "boolean" : type === "string" ? "string" : "number";
}

/** The register as it stands on the wire, counted from 0, or in its model; may be −1 where a profile that counts from 1 says 0. */
export function wireRegister(point: Point<ModbusPoint>, traits: DeviceTraits): number {
  const { register, model } = point.address.at;
  return model === undefined ? register - (traits.addressBase ?? 0) : register;
}

/** Of the registers in which a point stands; without meaning for bits. */
export function registerBytesOf(point: Point<ModbusPoint>, traits: DeviceTraits): RegisterBytes {
  const { table, model } = point.address.at;
  return model === undefined && !isBitTable(table) ? registerBytesAt(wireRegister(point, traits), traits) : 2;
}

/** Settings of the serial line, with what is usual where they are not given: 9600 8N1, of ASCII 9600 7E1. */
export function serialSettings(options: ModbusLinkOptions): Omit<SerialLineOptions, "path"> {
  return {
    baudRate: options.baudRate ?? 9600,
    dataBits: (options.dataBits ?? (isAscii(options) ? 7 : 8)) === 7 ? 7 : 8,
    parity: options.parity ?? (isAscii(options) ? "even" : "none"),
    stopBits: options.stopBits === 2 ? 2 : 1,
  };
}
