import { SerialLink } from "../../../adapters/serial/link.js";
import type { SerialPoint, SerialProtocol } from "../../../adapters/serial/options.js";
import type { Point, Station } from "../../../src/field/adapter.js";
import type { Reading } from "../../../src/field/reading.js";
import type { Variables } from "../../../src/field/template.js";
import { FakeClock } from "../../fakes/clock.js";
import { MemoryLine } from "../../field/memory-line.js";

export function latin(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

export function serialPoint(name: string, address: SerialPoint, access: "r" | "w" | "rw" = "r"): Point<SerialPoint> {
  return { name, access, pollClass: "normal", address };
}

export function serialStation(
  protocol: SerialProtocol,
  address: Readonly<Record<string, string>> = {},
): Station<Variables> {
  return { name: "device", address: new Map(Object.entries(address)), traits: { protocol } };
}

/** A device at the other end of a line in memory, and the link to it; time by hand. */
export class SerialRig {
  readonly clock = new FakeClock();
  readonly line = new MemoryLine();
  readonly link: SerialLink;
  /** What the device got, as text. */
  readonly requests: string[] = [];
  /** What it answers, and after how long; nothing when undefined. */
  answer: (request: string) => readonly (Uint8Array | number)[] = () => [];

  constructor(baudRate = 9600) {
    this.link = new SerialLink(this.line, baudRate, this.clock);
    this.line.onWrite = (bytes) => {
      const request = Buffer.from(bytes).toString("latin1");
      this.requests.push(request);
      this.#play(this.answer(request));
    };
  }

  say(text: string | Uint8Array): void {
    this.line.deliver(typeof text === "string" ? latin(text) : text);
  }

  /** `value`, or the quality and why. */
  static shown(readings: readonly Reading[]): string[] {
    return readings.map((reading) =>
      "reason" in reading
        ? `${reading.point} ${reading.quality}: ${reading.reason}`
        : `${reading.point} ${reading.value}`,
    );
  }

  /** Pieces in turn; a number is a pause in milliseconds. */
  #play([piece, ...rest]: readonly (Uint8Array | number)[]): void {
    if (piece === undefined) return;
    if (typeof piece === "number") this.clock.schedule(piece, () => this.#play(rest));
    else {
      this.clock.schedule(0, () => {
        this.line.deliver(piece);
        this.#play(rest);
      });
    }
  }
}
