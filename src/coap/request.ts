/** Request methods of RFC 7252 §5.8 and RFC 8132. */
export type Method = "GET" | "POST" | "PUT" | "DELETE" | "FETCH" | "PATCH" | "iPATCH";

/** What a request says above the message layer: blocks are already joined, duplicates already dropped. */
export interface CoapRequest {
  readonly method: Method;
  readonly path: readonly string[];
  readonly query: readonly string[];
  readonly contentFormat?: number;
  readonly accept?: number;
  /** RFC 7641: 0 registers, 1 cancels. */
  readonly observe?: number;
  readonly payload: Uint8Array;
}

/** A request from the peer; its token names an observation from then on. */
export interface IncomingRequest extends CoapRequest {
  readonly token: Uint8Array;
  readonly confirmable: boolean;
}

export interface CoapResponse {
  /** The code byte, e.g. `Code.Content` (2.05 = 0x45). */
  readonly code: number;
  readonly contentFormat?: number;
  readonly locationPath?: readonly string[];
  /** Sequence number of a notification or of the answer that begins an observation (RFC 7641 §3.4), 24 bit. */
  readonly observe?: number;
  readonly maxAgeS?: number;
  readonly payload: Uint8Array;
}

/**
 * Answers a request; a promise makes a separate response when it takes longer than the acknowledgement may wait.
 * Undefined ignores the request: no acknowledgement, no reset, and when it comes again it counts as new. A thrown
 * CausewayError answers with its code and its message as diagnostic payload, anything else with 5.00.
 */
export type RequestHandler = (request: IncomingRequest) => CoapResponse | undefined | Promise<CoapResponse | undefined>;

/**
 * How a notification ended: acknowledged by the peer (CON), handed to the network (NON), rejected with a Reset
 * (the observation is over, RFC 7641 §3.6), or not acknowledged: in time, because the peer is unreachable, because too
 * many wait already or because the endpoint was closed.
 */
export type DeliveryResult = "acknowledged" | "sent" | "reset" | "timeout";

export interface Notification {
  readonly token: Uint8Array;
  /** Path and query of the observed request: later blocks are asked for with them. */
  readonly request: CoapRequest;
  readonly response: CoapResponse;
  readonly delivery: "CON" | "NON";
}

/** One CoAP peer, both roles. Blocks, retransmission and duplicates are below this face. */
export interface CoapPeer extends AsyncDisposable {
  /** This end of the connection, `192.0.2.1:49152`; absent where the peer knows us by something else. */
  readonly localAddress?: string | undefined;
  /**
   * Sends a confirmable request and gives the complete response, whatever its code.
   * Rejects with COAP_TIMEOUT, COAP_RESET, COAP_UNREACHABLE, COAP_BLOCK_FAILED, COAP_CLOSED, COAP_QUEUE_FULL,
   * COAP_MALFORMED (a critical option of the response is unknown) or the signal's reason.
   */
  request(request: CoapRequest, signal: AbortSignal): Promise<CoapResponse>;
  /** Never rejects. */
  notify(notification: Notification): Promise<DeliveryResult>;
  /** Hears of a Reset to a non-confirmable notification: the observation is over (RFC 7641 §3.6). One listener. */
  onObservationReset?(listener: (token: Uint8Array) => void): void;
}
