/** The public face for adapters: `import … from "causeway/adapter"`. */
export { bytesEqual, concatBytes, fromHex, NO_BYTES, toHex, utf8Decode, utf8Encode } from "../base/bytes.js";
export { abortable, type Clock, sleep, systemClock, type Timer, withinTime } from "../base/clock.js";
export { CausewayError, type ErrorCode, toError } from "../base/errors.js";
export type { Log } from "../base/log.js";
export { type ObjectOf, type ObjectSchema, object } from "../base/object-schema.js";
export * as schema from "../base/schema.js";
export { Scope } from "../base/scope.js";
export { resolveSecret } from "../base/secrets.js";
export {
  type Adapter,
  type AnyAdapter,
  type BrokerFacts,
  type DeviceTraits,
  defineAdapter,
  type Exchange,
  type LineFacts,
  type LineKnowledge,
  type Link,
  type LinkContext,
  type Point,
  type PollClass,
  type ScalarKind,
  type SetupWrite,
  type SimulatedField,
  type SimulatedStation,
  type Station,
  type TracedFrame,
  type WatchSink,
  type WriteTerms,
} from "./adapter.js";
export {
  BYTE_ORDERS,
  BYTE_TYPES,
  type ByteFormat,
  type ByteOrder,
  type ByteType,
  byteCount,
  byteFormatProblem,
  decodeByteValue,
  encodeByteValue,
  isByteType,
  putByteValue,
  readUnsigned,
} from "./byte-value.js";
export { type JsonPath, parseJsonPath, valueAt, withValueAt } from "./json-path.js";
export type { Line } from "./line.js";
export { listenFor } from "./listen.js";
export { groupCount } from "./pattern.js";
export { portHolders } from "./port-holders.js";
export { type FaultQuality, type Quality, type Reading, type Scalar, sameScalar } from "./reading.js";
export {
  decodeRegisters,
  encodeRegisters,
  mergeBits,
  REGISTER_ORDERS,
  REGISTER_TYPES,
  type RegisterFormat,
  type RegisterOrder,
  type RegisterType,
  registerCount,
  registerFormatProblem,
} from "./registers.js";
export { characterMs, openSerialLine, type SerialLineOptions } from "./serial-line.js";
export {
  connectionError,
  openTcpLine,
  openTlsLine,
  readCertificates,
  type TcpLineOptions,
  type TlsLineOptions,
} from "./tcp-line.js";
export { fillTemplate, literalsOf, type Variables, variablesOf } from "./template.js";
export { valueFromText } from "./text-value.js";
export type {
  Expectation,
  FieldTool,
  Finding,
  ProfileCandidate,
  ToolArguments,
  ToolContext,
  ToolOption,
} from "./tool.js";
export { secondsArgument, textArgument } from "./tool-arguments.js";
export { FrameTrace, printableText } from "./trace.js";
export { openUdpLine, type UdpLineOptions } from "./udp-line.js";
