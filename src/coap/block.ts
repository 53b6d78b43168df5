import type { CoapRequest } from "./request.js";

/** Bytes of a block: 2^(SZX + 4) (RFC 7959 §2.2). */
export type BlockSize = 16 | 32 | 64 | 128 | 256 | 512 | 1024;

/** A Block1 or Block2 option. */
export interface Block {
  /** Position in units of `size`. */
  readonly number: number;
  /** Whether more blocks follow. */
  readonly more: boolean;
  readonly size: BlockSize;
}

const SIZES = [16, 32, 64, 128, 256, 512, 1024] as const;
const MAX_NUMBER = 0xf_ffff;

/** Undefined for the reserved SZX 7. */
export function decodeBlock(value: number): Block | undefined {
  const size = SIZES[value & 7];
  return size === undefined ? undefined : { number: value >>> 4, more: (value & 8) !== 0, size };
}

/** Throws RangeError for a number of more than 20 bits. */
export function encodeBlock(block: Block): number {
  if (block.number > MAX_NUMBER) throw new RangeError(`block number ${block.number}`);
  return (block.number << 4) | (block.more ? 8 : 0) | SIZES.indexOf(block.size);
}

/** Where the block begins in the body. */
export function blockOffset(block: Block): number {
  return block.number * block.size;
}

/** Cuts the block that begins at `offset`, which is a multiple of `size`. */
export function cutBlock(
  body: Uint8Array,
  offset: number,
  size: BlockSize,
): { readonly block: Block; readonly payload: Uint8Array } {
  const end = Math.min(body.length, offset + size);
  return { block: { number: offset / size, more: end < body.length, size }, payload: body.subarray(offset, end) };
}

export function smallerSize(a: BlockSize, b: BlockSize | undefined): BlockSize {
  return b !== undefined && b < a ? b : a;
}

/** Names a block-wise transfer whatever the token of each block (RFC 7959 §2.4, RFC 9175 §3.3). */
export function transferKey(request: CoapRequest, requestTag?: Uint8Array): string {
  const tag = requestTag === undefined ? [] : [requestTag.join()];
  return JSON.stringify([request.method, request.path, request.query, ...tag]);
}
