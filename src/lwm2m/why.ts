/** A step of one server's registration: what happened, and what the client does about it. */
export interface RegistrationReason {
  readonly what: "registration";
  /** As `rejected 4.04`. */
  readonly event: string;
  readonly before: string;
  readonly after: string;
  /** As `register 1.2`, `wait 60 s`; none when only the state is another. */
  readonly actions: readonly string[];
}

/** Why a notification goes out now, waits for its time, or is not made. */
export type NotificationRule =
  /** No condition is set, and the value is another. */
  | "change"
  | "gt"
  | "lt"
  | "st"
  | "edge"
  /** There was no value before. */
  | "first"
  /** What there is has changed: an instance came or went. */
  | "structure"
  | "pmax"
  /** The value is as the server knows it, or no condition is met. */
  | "unchanged"
  /** The server was told all the time that it is gone. */
  | "ended"
  /** The server is not there: it hears of the value when it returns. */
  | "paused";

export interface NotificationReason {
  readonly what: "notification";
  /** Of the observation; `/` for an Observe-Composite. */
  readonly observed: string;
  /** The resource that changed, where one did. */
  readonly path?: string;
  readonly verdict: "sent" | "waits" | "not sent";
  readonly rule: NotificationRule;
  /** What it waits for: the end of pmin, or an earlier notification of the same observation. */
  readonly waitsFor?: "pmin" | "delivery" | "pmax";
  /** Milliseconds until the wait ends, where that is known. */
  readonly waitMs?: number;
  readonly delivery?: "CON" | "NON";
}

/** A request that was answered with an error. */
export interface RefusalReason {
  readonly what: "refusal";
  /** As `PUT /3/0/0`. */
  readonly request: string;
  /** As `4.05`. */
  readonly code: string;
  readonly because: string;
}

export type Reason = RegistrationReason | NotificationReason | RefusalReason;

export interface Origin {
  readonly endpoint: string;
  /** Short Server ID. */
  readonly server: number;
}

export type Explanation = Origin & Reason;

/**
 * Where all clients tell why something was sent to a server, or not. Nothing is told, nor made up, while nobody
 * listens.
 */
export class Why {
  readonly #listeners = new Set<(explanation: Explanation) => void>();

  /** Listeners must not throw. */
  listen(listener: (explanation: Explanation) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** What one server's session tells with. */
  of(origin: Origin): Explainer {
    return new Explainer(origin, this.#listeners);
  }
}

/** Use as `explainer.note?.({ … })`: the reason is not even made while nobody listens. */
export class Explainer {
  readonly #origin: Origin;
  readonly #listeners: ReadonlySet<(explanation: Explanation) => void>;

  constructor(origin: Origin, listeners: ReadonlySet<(explanation: Explanation) => void>) {
    this.#origin = origin;
    this.#listeners = listeners;
  }

  /** Undefined while nobody listens. */
  get note(): ((reason: Reason) => void) | undefined {
    return this.#listeners.size === 0 ? undefined : this.#tell;
  }

  readonly #tell = (reason: Reason): void => {
    const explanation = { ...this.#origin, ...reason };
    for (const listener of this.#listeners) listener(explanation);
  };
}

/** For people, without the origin: `notification of /3303/0/5700: waits 3.2 s for pmin (gt)`. */
export function sentenceOf(reason: Reason): string {
  switch (reason.what) {
    case "registration": {
      const { event, before, after, actions } = reason;
      const change = before === after ? after : `${before} → ${after}`;
      return `registration: ${event}: ${[change, ...actions].join(", ")}`;
    }
    case "notification": {
      const { observed, path, verdict, rule, waitsFor, waitMs, delivery } = reason;
      const of = path === undefined || path === observed ? observed : `${path} in ${observed}`;
      const time = waitMs === undefined ? "" : ` ${(waitMs / 1000).toFixed(1)} s`;
      const wait = waitsFor === undefined ? "" : `${time} for ${waitsFor}`;
      return `notification of ${of}: ${verdict}${wait}${delivery === undefined ? "" : ` ${delivery}`} (${rule})`;
    }
    case "refusal":
      return `${reason.request}: ${reason.code}, ${reason.because}`;
  }
}
