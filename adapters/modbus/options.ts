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
  registerFormatProblem,
  type ScalarKind,
  type SerialLineOptions,
  schema,
} from "causeway/adapter";

export const TRANSPORTS = ["tcp", "rtu", "rtu-over-tcp"] as const;
export const TABLES = ["coil", "discrete", "holding", "input"] as const;
export type Table = (typeof TABLES)[number];

/** `port` is the path of a serial port for rtu, otherwise a number, 502 unless given. */
export interface ModbusLinkOptions {
  readonly transport: (typeof TRANSPORTS)[number];
  readonly host?: string;
  readonly port?: number | string;
  /** For rtu-over-tcp: of the line behind the converter, to reckon its timing. */
  readonly baudRate?: number;
  readonly dataBits?: number;
  readonly parity?: "none" | "even" | "odd";
  readonly stopBits?: number;
  /** Milliseconds from the end of a request to the first byte of its answer. */
  readonly responseTimeout?: number;
  readonly connectTimeout?: number;
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

export interface ModbusPoint {
  readonly at: { readonly table: Table; readonly register: number };
  /** bool for coils and discrete inputs, where nothing else is possible; registers must say. */
  readonly type?: RegisterType;
  readonly order?: RegisterOrder;
  readonly bits?: { readonly at: number; readonly width?: number };
  /** Of a string, in registers. */
  readonly length?: number;
  /** Where and how it is written, if not at `at` with the plain function for the type. */
  readonly write?: { readonly register?: number; readonly function?: "single" | "multiple" };
}

export const pointSchema: ObjectSchema<ModbusPoint> = object(
  { at: object({ table: schema.oneOf(...TABLES), register: schema.integer(0, 65535) }) },
  {
    type: schema.oneOf(...REGISTER_TYPES),
    order: schema.oneOf(...REGISTER_ORDERS),
    bits: object({ at: schema.integer(0, 63) }, { width: schema.integer(1, 63) }),
    length: schema.integer(1, 123),
    write: object({}, { register: schema.integer(0, 65535), function: schema.oneOf("single", "multiple") }),
  },
);

export function linkProblem({ transport, host, port }: ModbusLinkOptions): string | undefined {
  if (transport === "rtu") {
    if (typeof port !== "string") return "rtu needs 'port', the path of the serial port";
    return host === undefined ? undefined : "rtu has no 'host'; use rtu-over-tcp for a serial server";
  }
  if (host === undefined) return `${transport} needs 'host'`;
  return typeof port === "string" ? `'port' of ${transport} is a number` : undefined;
}

export function pointProblem(point: ModbusPoint): string | undefined {
  const { at, type, order, bits, length, write } = point;
  if (isBitTable(at.table)) {
    const surplus = [order, bits, length].some((field) => field !== undefined) || (type ?? "bool") !== "bool";
    return surplus ? `a ${at.table} is one bit: type bool, without order, bits and length` : undefined;
  }
  if (type === undefined) return "a register needs 'type'";
  const lastRegister = at.register + (type === "string" ? (length ?? 1) : 1) - 1;
  if (lastRegister > 65535) return "ends beyond register 65535";
  if (write !== undefined && at.table === "input" && write.register === undefined) {
    return "an input register is written only elsewhere: give 'write.register'";
  }
  return registerFormatProblem({ ...point, type });
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

/** The register as it stands on the wire, counted from 0; may be −1 where a profile that counts from 1 says 0. */
export function wireRegister(point: Point<ModbusPoint>, traits: DeviceTraits): number {
  return point.address.at.register - (traits.addressBase ?? 0);
}

/** Settings of the serial line, with what is usual where they are not given: 9600 8N1. */
export function serialSettings(options: ModbusLinkOptions): Omit<SerialLineOptions, "path"> {
  return {
    baudRate: options.baudRate ?? 9600,
    dataBits: options.dataBits === 7 ? 7 : 8,
    parity: options.parity ?? "none",
    stopBits: options.stopBits === 2 ? 2 : 1,
  };
}
