import { concatBytes } from "../base/bytes.js";
import type { Clock } from "../base/clock.js";
import { type Block, blockOffset, smallerSize, transferKey } from "./block.js";
import { Code } from "./code.js";
import { type CoapParameters, exchangeLifetimeMs } from "./parameters.js";
import { Recent } from "./recent.js";
import type { CoapRequest } from "./request.js";
import type { ParsedRequest } from "./request-codec.js";

/** What one Block1 makes of a body. */
export type Progress =
  | { readonly kind: "complete"; readonly payload: Uint8Array }
  /** 2.31: the next block is awaited. */
  | { readonly kind: "continue"; readonly block: Block }
  | { readonly kind: "refused"; readonly code: number; readonly reason: string; readonly size1?: number };

interface Assembly {
  readonly contentFormat: number | undefined;
  readonly blocks: Uint8Array[];
  receivedBytes: number;
  lastBlock: Uint8Array;
}

/** Puts uploads together (RFC 7959 §2.5). */
export class Assemblies implements Disposable {
  readonly #parameters: CoapParameters;
  readonly #assemblies: Recent<string, Assembly>;

  constructor(clock: Clock, parameters: CoapParameters) {
    this.#parameters = parameters;
    this.#assemblies = new Recent(clock, parameters.transferLimit, exchangeLifetimeMs(parameters));
  }

  [Symbol.dispose](): void {
    this.#assemblies[Symbol.dispose]();
  }

  accept({ request, control }: ParsedRequest, block: Block): Progress {
    const { maxBodyBytes } = this.#parameters;
    const key = transferKey(request, control.requestTag);
    const offset = blockOffset(block);
    const { payload } = request;
    if (block.more ? payload.length !== block.size : payload.length > block.size) {
      return { kind: "refused", code: Code.BadRequest, reason: "payload is not of the block's size" };
    }
    if (Math.max(offset + payload.length, control.size1 ?? 0) > maxBodyBytes) {
      this.#assemblies.delete(key);
      return { kind: "refused", code: Code.RequestEntityTooLarge, reason: "body too large", size1: maxBodyBytes };
    }
    const assembly = offset === 0 ? begin(request) : this.#assemblies.get(key);
    if (
      assembly === undefined ||
      assembly.contentFormat !== request.contentFormat ||
      !append(assembly, offset, payload)
    ) {
      this.#assemblies.delete(key);
      return { kind: "refused", code: Code.RequestEntityIncomplete, reason: `nothing before byte ${offset}` };
    }
    if (block.more) {
      this.#assemblies.set(key, assembly);
      return { kind: "continue", block: { ...block, size: smallerSize(block.size, this.#parameters.blockSize) } };
    }
    this.#assemblies.delete(key);
    return { kind: "complete", payload: concatBytes(assembly.blocks) };
  }
}

function begin(request: CoapRequest): Assembly {
  return { contentFormat: request.contentFormat, blocks: [], receivedBytes: 0, lastBlock: request.payload };
}

/** False on a gap. The last block may come again under another message id; it is taken once. */
function append(assembly: Assembly, offset: number, payload: Uint8Array): boolean {
  const { receivedBytes, lastBlock } = assembly;
  const isRepeated =
    receivedBytes > 0 && offset + lastBlock.length === receivedBytes && Buffer.compare(payload, lastBlock) === 0;
  if (isRepeated) return true;
  if (offset !== receivedBytes) return false;
  assembly.blocks.push(payload);
  assembly.receivedBytes += payload.length;
  assembly.lastBlock = payload;
  return true;
}
