/** Hears what a transport brings. Nothing is called after `onClosed`. */
export interface TransportListener {
  /** The datagram belongs to the listener. */
  onDatagram(datagram: Uint8Array): void;
  /** The peer cannot be reached at the moment (ICMP unreachable); the transport goes on. */
  onUnreachable(reason: Error): void;
  onClosed(reason: Error): void;
}

/** Datagrams to and from one peer: a connected UDP socket, a DTLS session. Disposing it says goodbye where that is due. */
export interface DatagramTransport extends AsyncDisposable {
  /** By which the peer knows this end; absent where an address does not matter. */
  readonly localAddress?: string | undefined;
  /** Called once; what came before is lost. */
  listen(listener: TransportListener): void;
  /** Never throws and never waits: datagrams may be lost. */
  send(datagram: Uint8Array): void;
}
