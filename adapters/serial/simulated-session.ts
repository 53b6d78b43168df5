import { concatBytes, utf8Encode } from "causeway/adapter";
import { checksumOf } from "./checksum.js";
import type { SerialProtocol } from "./options.js";
import type { FoundRequest } from "./simulated-request.js";

/** A request that a simulated device knows. */
export interface SimulatedRequest {
  /** The first among what was received. */
  find(received: Uint8Array): FoundRequest | undefined;
  /** Carries it out and gives what the device says to it; nothing at all when undefined. */
  answer(found: FoundRequest): Uint8Array | undefined;
}

/** What a data block is while STX, ETX and block check character are not around it. */
export const DATA_BLOCK: SerialProtocol = { framing: { end: utf8Encode("!\r\n"), maxLength: 65_536 } };

/** Mode C, and no faster than the sign on, which suits also a line that cannot change its baud rate. */
const IDENTIFICATION = "/CWY0CAUSEWAY\r\n";
const SIGN_ON = /\/\?([^!\r\n]*)!\r\n/;
/** With any baud rate; readout, not programming mode. */
const ACKNOWLEDGEMENT = new RegExp(`${String.fromCharCode(0x06)}0[0-9A-I]0\r\n`);
const STX = Uint8Array.of(0x02);
const ETX = Uint8Array.of(0x03);

/**
 * A meter's part of a readout by IEC 62056-21 (§6.3): it answers who signs on with its number or with none. `data` is its
 * block without marks.
 */
export function sessionRequests(device: string, data: () => Uint8Array | undefined): readonly SimulatedRequest[] {
  let isSignedOn = false;
  return [
    {
      find: (received) => findPattern(received, SIGN_ON),
      answer({ value }) {
        isSignedOn = value === "" || value === device;
        return isSignedOn ? utf8Encode(IDENTIFICATION) : undefined;
      },
    },
    {
      find: (received) => findPattern(received, ACKNOWLEDGEMENT),
      answer() {
        const block = isSignedOn ? data() : undefined;
        isSignedOn = false;
        return block === undefined ? undefined : blockFrame(block);
      },
    },
  ];
}

function findPattern(received: Uint8Array, pattern: RegExp): FoundRequest | undefined {
  const match = pattern.exec(Buffer.from(received).toString("latin1"));
  if (match === null) return undefined;
  const [whole, value] = match;
  return { start: match.index, end: match.index + whole.length, ...(value === undefined ? {} : { value }) };
}

function blockFrame(data: Uint8Array): Uint8Array {
  const checked = concatBytes([data, ETX]);
  return concatBytes([STX, checked, Uint8Array.of(checksumOf(checked, "xor"))]);
}
