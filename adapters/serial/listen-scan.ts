import { type LinkContext, openSerialLine, type ProfileCandidate, sleep } from "causeway/adapter";
import { Channel } from "./channel.js";
import { extract } from "./extract.js";
import { frameOf, protocolOf, type SerialPoint } from "./options.js";
import { matches } from "./request.js";

/** A profile whose frames came over a port. */
export interface HeardProfile {
  readonly profile: string;
  readonly baudRate: number;
  readonly frames: number;
  /** Points that had a good value. */
  readonly good: number;
  readonly points: number;
}

/** In the order in which they are usual for devices that speak on their own. */
export const LISTENED_RATES = [9600, 115_200, 4800, 19_200, 38_400, 57_600, 2400, 1200] as const;

/**
 * Listens at each rate for a while, without a byte of its own, and takes what comes apart by every profile whose device
 * speaks on its own. Rejects with LINK_* or the signal's reason.
 */
export async function listenForProfiles(
  path: string,
  listenMs: number,
  profiles: readonly ProfileCandidate<SerialPoint>[],
  { clock }: Pick<LinkContext, "clock">,
  onRate: (baudRate: number) => void,
  signal: AbortSignal,
): Promise<readonly HeardProfile[]> {
  for (const baudRate of LISTENED_RATES) {
    onRate(baudRate);
    await using line = await openSerialLine({ path, baudRate, dataBits: 8, parity: "none", stopBits: 1 }, signal);
    const ears = profiles.map((profile) => new ProfileEar(profile, clock));
    line.listen((bytes) => {
      for (const ear of ears) ear.push(bytes);
    });
    await sleep(clock, listenMs, signal);
    const heard = ears.flatMap((ear) => (ear.frames === 0 ? [] : [ear.heard(baudRate)]));
    if (heard.length > 0) return heard.toSorted((a, b) => b.good / b.points - a.good / a.points || b.good - a.good);
  }
  return [];
}

/** One profile's ear for frames that come on their own. */
export class ProfileEar {
  frames = 0;
  readonly #profile: ProfileCandidate<SerialPoint>;
  readonly #channel: Channel;
  readonly #good = new Set<string>();

  constructor(profile: ProfileCandidate<SerialPoint>, clock: LinkContext["clock"]) {
    this.#profile = profile;
    const protocol = protocolOf(profile.traits.protocol);
    this.#channel = new Channel(protocol, clock);
    const kinds = [...(protocol.frames ?? [])].filter(([, { request }]) => request === undefined);
    this.#channel.listen((frame, state) => {
      if (state === "damaged") return;
      const kind = kinds.find(([, { match }]) => matches(frame.bytes, match, frame.text));
      if (kind === undefined) return;
      const own = profile.points.filter(({ address }) => frameOf(address, protocol) === kind[0]);
      const good = own.filter(({ address }) => extract(address, frame)?.quality === "good");
      // A frame without a checksum is one only when it says something.
      if (good.length === 0 && protocol.checksum === undefined) return;
      this.frames++;
      for (const { name } of good) this.#good.add(name);
    });
  }

  push(bytes: Uint8Array): void {
    if (protocolOf(this.#profile.traits.protocol).framing !== undefined) this.#channel.push(bytes);
  }

  heard(baudRate: number): HeardProfile {
    const { name, points } = this.#profile;
    return {
      profile: name,
      baudRate,
      frames: this.frames,
      good: this.#good.size,
      points: points.filter(({ access }) => access !== "w").length,
    };
  }
}
