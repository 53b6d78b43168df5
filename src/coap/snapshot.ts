import { bytesEqual, NO_BYTES, utf8Encode } from "../base/bytes.js";
import type { Clock } from "../base/clock.js";
import { type Block, type BlockSize, blockOffset, cutBlock, smallerSize, transferKey } from "./block.js";
import { Code } from "./code.js";
import { type CoapParameters, exchangeLifetimeMs } from "./parameters.js";
import { Recent } from "./recent.js";
import type { CoapRequest, CoapResponse } from "./request.js";
import type { ResponseControl } from "./response-codec.js";

/** One block of a response, or the whole where it fits into one. */
export interface Part {
  readonly response: CoapResponse;
  readonly control: ResponseControl;
}

const OUT_OF_RANGE: Part = {
  response: { code: Code.BadRequest, payload: utf8Encode("no such block") },
  control: {},
};

interface Snapshot {
  readonly key: string;
  readonly token: Uint8Array;
  /** What was asked for in the request's payload: part of what a FETCH names (RFC 8132 §2). */
  readonly fetched: Uint8Array;
  readonly response: CoapResponse;
  readonly etag: Uint8Array;
  /** Where the block begins that the peer will ask for next. */
  nextOffset: number;
}

/**
 * Bodies that the peer fetches block by block (RFC 7959 §2.4). A body is frozen when its first block is sent. RFC 7959
 * cannot tell two fetches of one resource apart, so a block belongs to the snapshot of its token, else to the one whose
 * turn it is.
 */
export class Snapshots implements Disposable {
  readonly #parameters: CoapParameters;
  readonly #snapshots: Recent<Snapshot, Snapshot>;

  constructor(clock: Clock, parameters: CoapParameters) {
    this.#parameters = parameters;
    this.#snapshots = new Recent(clock, parameters.transferLimit, exchangeLifetimeMs(parameters));
  }

  [Symbol.dispose](): void {
    this.#snapshots[Symbol.dispose]();
  }

  /** The block that was asked for, by default the first, of a fresh response. */
  begin(request: CoapRequest, token: Uint8Array, response: CoapResponse, asked: Block | undefined): Part {
    const size = smallerSize(this.#parameters.blockSize, asked?.size);
    const offset = asked === undefined ? 0 : blockOffset(asked);
    const { payload } = response;
    if (offset > 0 && offset >= payload.length) return OUT_OF_RANGE;
    if (payload.length <= size) {
      return { response, control: asked === undefined ? {} : { block2: { number: 0, more: false, size } } };
    }
    const key = transferKey(request);
    this.#supersede(key, token);
    const fetched = request.method === "FETCH" ? request.payload : NO_BYTES;
    const snapshot: Snapshot = { key, token, fetched, response, etag: etagOf(payload), nextOffset: 0 };
    const part = this.#cut(snapshot, offset, size);
    return offset > 0 ? part : { response: { ...response, payload: part.response.payload }, control: part.control };
  }

  /** A later block; undefined when nothing is held for it. */
  next(request: CoapRequest, token: Uint8Array, asked: Block): Part | undefined {
    const offset = blockOffset(asked);
    const snapshot = this.#find(request, token, offset);
    if (snapshot === undefined) return undefined;
    if (offset >= snapshot.response.payload.length) return OUT_OF_RANGE;
    return this.#cut(snapshot, offset, smallerSize(this.#parameters.blockSize, asked.size));
  }

  #cut(snapshot: Snapshot, offset: number, size: BlockSize): Part {
    const { block, payload } = cutBlock(snapshot.response.payload, offset, size);
    snapshot.nextOffset = offset + payload.length;
    this.#snapshots.set(snapshot, snapshot);
    const { code, contentFormat, maxAgeS } = snapshot.response;
    const response = {
      code,
      payload,
      ...(contentFormat === undefined ? {} : { contentFormat }),
      ...(maxAgeS === undefined ? {} : { maxAgeS }),
    };
    const size2 = offset === 0 ? { size2: snapshot.response.payload.length } : {};
    return { response, control: { block2: block, etag: snapshot.etag, ...size2 } };
  }

  /** A notification makes the one before it worthless. */
  #supersede(key: string, token: Uint8Array): void {
    for (const { value } of [...this.#snapshots.ages()]) {
      if (value.key === key && Buffer.compare(value.token, token) === 0) this.#snapshots.delete(value);
    }
  }

  #find(request: CoapRequest, token: Uint8Array, offset: number): Snapshot | undefined {
    const key = transferKey(request);
    // Not every client repeats the payload of a FETCH with each block.
    const isNamed = request.method === "FETCH" && request.payload.length > 0;
    const held = [...this.#snapshots.ages()].filter(
      ({ value }) => value.key === key && (!isNamed || bytesEqual(value.fetched, request.payload)),
    );
    const inTurn = held.filter(({ value }) => value.nextOffset === offset);
    const candidates = inTurn.length > 0 ? inTurn : held;
    const ofToken = candidates.find(({ value }) => token.length > 0 && Buffer.compare(value.token, token) === 0);
    // Fetches at the same point go round, so the longest untouched is next, unless it was abandoned.
    const goingOn = candidates.find(({ idleMs }) => idleMs < this.#parameters.ackTimeoutMs);
    return (ofToken ?? goingOn ?? candidates.at(-1))?.value;
  }
}

/** FNV-1a of the body: equal bodies have equal tags, also after the snapshot is gone. */
function etagOf(body: Uint8Array): Uint8Array {
  let hash = 0x811c9dc5;
  for (let index = 0; index < body.length; index++) hash = Math.imul(hash ^ (body[index] ?? 0), 0x01000193);
  const etag = new Uint8Array(4);
  new DataView(etag.buffer).setInt32(0, hash);
  return etag;
}
