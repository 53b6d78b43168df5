import { CausewayError } from "causeway/adapter";
import type { Transport } from "./transport.js";

/** What a station tells of itself; what it does not tell is absent. */
export interface Identity {
  readonly vendor?: string;
  readonly product?: string;
  readonly revision?: string;
  /** Free text of FC17. */
  readonly serverId?: string;
}

const READ_DEVICE_IDENTIFICATION = [43, 14, 1] as const;
const REPORT_SERVER_ID = 17;
const FIELDS = ["vendor", "product", "revision"] as const;
/** Objects come in several answers where they are long; more than these are not waited for. */
const MAX_ANSWERS = 4;
const MORE_FOLLOWS = 0xff;

/**
 * Asks a station who it is (Modbus Application Protocol V1.1b3 §6.21 and §6.13). Stations that do not know the question
 * give nothing; only LINK_* and the signal reject.
 */
export async function identify(
  transport: Transport,
  unit: number,
  responseTimeoutMs: number,
  signal: AbortSignal,
): Promise<Identity> {
  const ask = async (pdu: Uint8Array): Promise<Uint8Array | undefined> => {
    try {
      const answer = await transport.exchange({ unit, pdu, responseTimeoutMs, gapMs: 0 }, signal);
      return answer[0] === pdu[0] ? answer : undefined;
    } catch (error) {
      const isSilence = error instanceof CausewayError && /^FIELD_/.test(error.code);
      if (isSilence) return undefined;
      throw error;
    }
  };
  const objects = await readObjects(ask);
  if (objects.size > 0) {
    return Object.fromEntries(FIELDS.flatMap((field, id) => (objects.has(id) ? [[field, objects.get(id)]] : [])));
  }
  const answer = await ask(Uint8Array.of(REPORT_SERVER_ID));
  const serverId = answer === undefined ? "" : printable(answer.subarray(2));
  return serverId === "" ? {} : { serverId };
}

type Ask = (pdu: Uint8Array) => Promise<Uint8Array | undefined>;

async function readObjects(ask: Ask): Promise<ReadonlyMap<number, string>> {
  const objects = new Map<number, string>();
  let next = 0;
  for (let answers = 0; answers < MAX_ANSWERS; answers++) {
    const answer = await ask(Uint8Array.of(...READ_DEVICE_IDENTIFICATION, next));
    if (answer === undefined) break;
    for (const [id, text] of objectsIn(answer)) objects.set(id, text);
    const following = answer[5] ?? 0;
    if (answer[4] !== MORE_FOLLOWS || following <= next) break;
    next = following;
  }
  return objects;
}

/** The objects of one answer, by id. */
function objectsIn(answer: Uint8Array): readonly (readonly [number, string])[] {
  const objects: (readonly [number, string])[] = [];
  let at = 7;
  for (let count = answer[6] ?? 0; count > 0; count--) {
    const [id = 0, length = 0] = answer.subarray(at, at + 2);
    objects.push([id, printable(answer.subarray(at + 2, at + 2 + length))]);
    at += 2 + length;
  }
  return objects;
}

function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("latin1")
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim();
}
