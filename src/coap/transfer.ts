import { concatBytes, NO_BYTES } from "../base/bytes.js";
import { CausewayError } from "../base/errors.js";
import { type BlockSize, blockOffset, cutBlock, smallerSize } from "./block.js";
import { Code, formatCode } from "./code.js";
import type { CoapParameters } from "./parameters.js";
import type { CoapRequest, CoapResponse } from "./request.js";
import type { RequestControl } from "./request-codec.js";
import type { ParsedResponse } from "./response-codec.js";

/** One message, whose payload is a block of the body or all of it, and its response. */
export type Exchange = (request: CoapRequest, control: RequestControl) => Promise<ParsedResponse>;

/** Carries a request out in as many exchanges as its body and the response's need (RFC 7959). */
export async function transfer(
  request: CoapRequest,
  exchange: Exchange,
  parameters: CoapParameters,
): Promise<CoapResponse> {
  let answer = await send(request, {}, exchange, parameters.blockSize);
  const { echo } = answer.control;
  // The server wants to see that the request is fresh (RFC 9175 §2.3).
  if (answer.response.code === Code.Unauthorized && echo !== undefined) {
    answer = await send(request, { echo }, exchange, parameters.blockSize);
  }
  return answer.control.block2?.more === true ? download(request, answer, exchange, parameters) : answer.response;
}

function send(
  request: CoapRequest,
  control: RequestControl,
  exchange: Exchange,
  size: BlockSize,
): Promise<ParsedResponse> {
  return request.payload.length > size ? upload(request, control, exchange, size) : exchange(request, control);
}

async function upload(
  request: CoapRequest,
  control: RequestControl,
  exchange: Exchange,
  firstSize: BlockSize,
): Promise<ParsedResponse> {
  const body = request.payload;
  let size = firstSize;
  let offset = 0;
  for (;;) {
    const { block, payload } = cutBlock(body, offset, size);
    const size1 = offset === 0 ? { size1: body.length } : {};
    const answer = await exchange({ ...request, payload }, { ...control, ...size1, block1: block });
    const { code } = answer.response;
    const accepted = answer.control.block1;
    if (code === Code.RequestEntityTooLarge && offset === 0 && accepted !== undefined && accepted.size < size) {
      // Blocks of that size are too large, smaller ones are welcome (RFC 7959 §2.9.3).
      size = accepted.size;
      continue;
    }
    if (code !== Code.Continue) return answer;
    if (!block.more) throw broken("2.31 after the last block");
    if (accepted === undefined || accepted.number !== block.number) throw broken("2.31 for another block");
    offset += payload.length;
    size = smallerSize(size, accepted.size);
  }
}

async function download(
  request: CoapRequest,
  first: ParsedResponse,
  exchange: Exchange,
  parameters: CoapParameters,
): Promise<CoapResponse> {
  const { blockSize, maxBodyBytes } = parameters;
  const payloads: Uint8Array[] = [];
  const forLater = laterBlocks(request, blockSize);
  let offset = 0;
  let answer = first;
  for (;;) {
    const { response, control } = answer;
    const { block2 } = control;
    if (block2 === undefined || response.code !== first.response.code) {
      throw broken(`${formatCode(response.code)} instead of a block`);
    }
    if (blockOffset(block2) !== offset) throw broken(`block at ${blockOffset(block2)} instead of ${offset}`);
    if (block2.more && response.payload.length !== block2.size) throw broken("block of a wrong length");
    if (!isSameTag(control.etag, first.control.etag)) throw broken("the representation changed");
    payloads.push(response.payload);
    offset += response.payload.length;
    if (offset > maxBodyBytes) throw broken(`body of more than ${maxBodyBytes} bytes`);
    if (!block2.more) return { ...first.response, payload: concatBytes(payloads) };
    const size = smallerSize(block2.size, blockSize);
    answer = await exchange(forLater, { block2: { number: offset / size, more: false, size } });
  }
}

/** What asks for later blocks: no Observe (RFC 7959 §3.4); a payload only for FETCH, which it defines (RFC 8132 §2.3). */
function laterBlocks({ observe: _, ...request }: CoapRequest, size: BlockSize): CoapRequest {
  const isPartOfTarget = request.method === "FETCH" && request.payload.length <= size;
  return isPartOfTarget ? request : { ...request, payload: NO_BYTES };
}

function isSameTag(tag: Uint8Array | undefined, first: Uint8Array | undefined): boolean {
  return tag === undefined || first === undefined ? tag === first : Buffer.compare(tag, first) === 0;
}

function broken(reason: string): CausewayError {
  return new CausewayError("COAP_BLOCK_FAILED", reason);
}
