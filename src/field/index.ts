/** The public face for adapters: `import … from "causeway/adapter"`. */
export { concatBytes, fromHex, NO_BYTES, toHex, utf8Decode, utf8Encode } from "../base/bytes.js";
export { abortable, type Clock, sleep, systemClock, type Timer } from "../base/clock.js";
export { CausewayError, type ErrorCode, toError } from "../base/errors.js";
export type { Log } from "../base/log.js";
export { type ObjectOf, type ObjectSchema, object } from "../base/object-schema.js";
export * as schema from "../base/schema.js";
export { Scope } from "../base/scope.js";
export {
  type Adapter,
  type AnyAdapter,
  type DeviceTraits,
  defineAdapter,
  type Exchange,
  type Link,
  type LinkContext,
  type Point,
  type PollClass,
  type Station,
} from "./adapter.js";
export type { FaultQuality, Quality, Reading, Scalar } from "./reading.js";
