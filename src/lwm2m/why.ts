import { CausewayError, toError } from "../base/errors.js";
import { subscribe } from "../base/subscribe.js";
import type { CoapRequest } from "../coap/request.js";

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

/** By which condition a value is to be told; `unchanged` by none (see `ruleOf`). */
export type ChangeRule = "first" | "change" | "gt" | "lt" | "st" | "edge" | "unchanged";

/**
 * What a notification is made for: also because instances came or went, because pmax is over, for what was stored while
 * the server was away, or as the last one.
 */
export type NotificationRule = ChangeRule | "structure" | "pmax" | "stored" | "ended";

export interface NotificationReason {
  readonly what: "notification";
  /** Of the observation, with the prefix of the device; `/` for an Observe-Composite. */
  readonly observed: string;
  /** The resource that changed, where one did. */
  readonly path?: string;
  /** `due`: it is sent with the next turn, together with what else changes until then. */
  readonly verdict: "due" | "waits" | "not sent" | "sent";
  readonly rule: NotificationRule;
  /** The end of pmin, pmax or epmin, the end of the notification before, or the return of the server. */
  readonly waitsFor?: "pmin" | "pmax" | "epmin" | "delivery" | "server";
  /** Milliseconds until the wait ends, where that is known. */
  readonly waitMs?: number;
  readonly delivery?: "CON" | "NON";
  /**
   * Why it is confirmable although neither con nor the server's default wants it so: nothing has proven for long that
   * the server is there, or none was for a day (RFC 7641 §4.5).
   */
  readonly confirms?: "server" | "day";
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

export function refusalReason({ method, path, query }: CoapRequest, error: unknown): RefusalReason {
  const request = `${method} /${path.join("/")}${query.length === 0 ? "" : `?${query.join("&")}`}`;
  const code = error instanceof CausewayError ? error.coapCode : "5.00";
  return { what: "refusal", request, code, because: toError(error).message };
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
    return subscribe(this.#listeners, listener);
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
      const { observed, path, verdict, rule, waitsFor, waitMs, delivery, confirms } = reason;
      const of = path === undefined || path === observed ? observed : `${path} in ${observed}`;
      const time = waitMs === undefined ? "" : ` ${(waitMs / 1000).toFixed(1)} s`;
      const wait = waitsFor === undefined ? "" : `${time} for ${waitsFor}`;
      const how = delivery === undefined ? "" : ` ${delivery}`;
      const proof =
        confirms === undefined ? "" : confirms === "server" ? ", proves the server" : ", the one of the day";
      return `notification of ${of}: ${verdict}${wait}${how} (${rule}${proof})`;
    }
    case "refusal":
      return `${reason.request}: ${reason.code}, ${reason.because}`;
  }
}
