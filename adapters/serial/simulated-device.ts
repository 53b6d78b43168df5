import {
  CausewayError,
  concatBytes,
  NO_BYTES,
  type Point,
  type Scalar,
  type SimulatedStation,
  type Station,
  type Variables,
} from "causeway/adapter";
import { fitValue } from "./fit.js";
import { frameOf, protocolOf, type SerialPoint, type SerialProtocol, type SerialWrite } from "./options.js";
import { requestBytes, writeRequest } from "./request.js";
import { escaped } from "./simulated-envelope.js";
import { SimulatedFrame } from "./simulated-frame.js";
import { earliest, findBytes, formOf, WriteFinder } from "./simulated-request.js";
import { DATA_BLOCK, type SimulatedRequest, sessionRequests } from "./simulated-session.js";

/** Asked for each request that a station knows: what it says in the place of its answer, carrying nothing out. */
export type SimulatedFault = (station: string, request: Uint8Array) => Uint8Array | undefined;

/** Longer than any request. */
const MAX_RECEIVED = 256;
/** The only kind of frame that a session has. */
const BLOCK = "data block";

/** One station: what it holds, what it says on its own, and its answers to what comes over the line. */
export class SimulatedDevice {
  readonly #station: Station<Variables>;
  readonly #protocol: SerialProtocol;
  readonly #points: ReadonlyMap<string, Point<SerialPoint>>;
  readonly #frames: ReadonlyMap<string, SimulatedFrame>;
  readonly #requests: readonly SimulatedRequest[];
  readonly #values = new Map<string, Scalar>();
  /** By kind of frame, as they go over the wire; of one whose points have no values yet there is none. */
  readonly #said = new Map<string, Uint8Array>();
  #received: Uint8Array = NO_BYTES;

  /** Throws CONFIG_INVALID for a point that cannot be simulated. */
  constructor({ station, points }: SimulatedStation<Variables, SerialPoint>) {
    this.#station = station;
    this.#protocol = protocolOf(station.traits.protocol);
    this.#points = new Map(points.map((point) => [point.name, point]));
    const { session, frames } = this.#protocol;
    const protocol = session === undefined ? this.#protocol : DATA_BLOCK;
    const kinds = session === undefined ? [...(frames ?? [])] : [[BLOCK, {}] as const];
    this.#frames = new Map(
      kinds.flatMap(([name, kind]) => {
        const own = points.filter((point) => this.#frameOf(point) === name);
        if (own.length === 0) return [];
        return [[name, new SimulatedFrame({ place: station.name, protocol, kind, points: own })] as const];
      }),
    );
    this.#requests = [...this.#polls(), ...points.flatMap((point) => this.#writesOf(point))];
  }

  get name(): string {
    return this.#station.name;
  }

  /** How long the line must be silent behind what the station says. */
  get gapMs(): number {
    return this.#protocol.framing?.gapMs ?? 0;
  }

  /** What the station says on its own. */
  get spoken(): readonly Uint8Array[] {
    const kinds = [...(this.#protocol.frames ?? [])].filter(([, { request }]) => request === undefined);
    return kinds.flatMap(([name]) => this.#said.get(name) ?? []);
  }

  set(name: string, value: Scalar): void {
    const point = this.#point(name);
    const held = fitValue(point, value);
    const { write } = point.address;
    const kind = this.#frameOf(point);
    const frame = this.#frames.get(kind ?? "");
    if (frame !== undefined && kind !== undefined) {
      const bytes = frame.bytes(new Map([...this.#values, [name, held]]));
      if (bytes !== undefined) this.#said.set(kind, escaped(bytes, this.#protocol));
    } else if (write !== undefined) {
      writeRequest(point.address, write, held, this.#station.address, this.#protocol.checksum);
    }
    this.#values.set(name, held);
  }

  get(name: string): Scalar {
    const value = this.#values.get(this.#point(name).name);
    if (value === undefined) throw new CausewayError("INTERNAL", `${this.name}.${name} has no value yet`);
    return value;
  }

  /** What the station says to what comes over the line. */
  hear(bytes: Uint8Array, fault: SimulatedFault): readonly Uint8Array[] {
    this.#received = concatBytes([this.#received, bytes]).slice(-MAX_RECEIVED);
    const answers: Uint8Array[] = [];
    for (;;) {
      const heard = this.#requests.flatMap((request) => {
        const found = request.find(this.#received);
        return found === undefined ? [] : [{ request, found }];
      });
      const first = earliest(heard);
      if (first === undefined) return answers;
      const { request, found } = first;
      const answer = fault(this.name, this.#received.slice(found.start, found.end)) ?? request.answer(found);
      this.#received = this.#received.slice(found.end);
      if (answer !== undefined && answer.length > 0) answers.push(answer);
    }
  }

  #point(name: string): Point<SerialPoint> {
    const point = this.#points.get(name);
    if (point === undefined) throw new CausewayError("INTERNAL", `${this.name} has no point '${name}'`);
    return point;
  }

  #frameOf({ address }: Point<SerialPoint>): string | undefined {
    if (address.at === undefined) return undefined;
    return this.#protocol.session === undefined ? frameOf(address, this.#protocol) : BLOCK;
  }

  #polls(): readonly SimulatedRequest[] {
    const { session, frames, checksum } = this.#protocol;
    const { address } = this.#station;
    if (session !== undefined) return sessionRequests(address.get("id") ?? "", () => this.#said.get(BLOCK));
    return [...(frames ?? [])].flatMap(([name, { request }]): SimulatedRequest[] => {
      if (request === undefined) return [];
      const wanted = requestBytes(request, address, checksum);
      return [{ find: (received) => findBytes(received, wanted, formOf(request)), answer: () => this.#said.get(name) }];
    });
  }

  #writesOf({ name, address }: Point<SerialPoint>): readonly SimulatedRequest[] {
    const { write } = address;
    if (write === undefined) return [];
    const finder = new WriteFinder(address, write, this.#station.address, this.#protocol.checksum);
    const reply = this.#replyTo(name, write);
    return [
      {
        find: (received) => finder.find(received),
        answer: ({ value }) => (value !== undefined && this.#takes(name, value) ? reply : undefined),
      },
    ];
  }

  #replyTo(name: string, { reply }: SerialWrite): Uint8Array | undefined {
    if (reply === undefined) return undefined;
    const protocol = this.#protocol;
    const refusals = new Map([...(protocol.frames?.values() ?? [])].flatMap((kind) => [...(kind.refusals ?? [])]));
    const kind = { match: reply, refusals };
    const frame = new SimulatedFrame({ place: `${this.name}.${name}`, protocol, kind, points: [] });
    const bytes = frame.bytes(new Map());
    return bytes === undefined ? undefined : escaped(bytes, protocol);
  }

  /** What its frames cannot say the station does not take. */
  #takes(name: string, value: Scalar): boolean {
    try {
      this.set(name, value);
      return true;
    } catch (error) {
      if (error instanceof CausewayError && error.code === "VALUE_INVALID") return false;
      throw error;
    }
  }
}
