import { CausewayError, type ErrorCode, type FaultQuality } from "causeway/adapter";

/** Modbus Application Protocol V1.1b3 §7. */
const EXCEPTION_NAMES: Readonly<Record<number, string>> = {
  1: "illegal function",
  2: "illegal data address",
  3: "illegal data value",
  4: "server device failure",
  5: "acknowledge, still working",
  6: "server device busy",
  8: "memory parity error",
  10: "gateway path unavailable",
  11: "gateway target failed to respond",
};

export function exceptionText(exception: number): string {
  return `exception ${exception}, ${EXCEPTION_NAMES[exception] ?? "unknown"}`;
}

/** 1 to 3 refuse what was asked for; 10 and 11 come from a gateway whose device is silent. */
export function exceptionQuality(exception: number): FaultQuality {
  if (exception >= 1 && exception <= 3) return "unsupported";
  return exception === 10 || exception === 11 ? "timeout" : "exception";
}

export function isBusy(exception: number): boolean {
  return exception === 5 || exception === 6;
}

export function exceptionError(exception: number, place: string): CausewayError {
  const silent = exceptionQuality(exception) === "timeout";
  const code: ErrorCode = isBusy(exception) ? "FIELD_BUSY" : silent ? "FIELD_TIMEOUT" : "FIELD_EXCEPTION";
  return new CausewayError(code, `${place}: ${exceptionText(exception)}`, { facts: { exception } });
}
