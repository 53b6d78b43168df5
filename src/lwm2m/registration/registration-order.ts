/** What is known of one server's registration, for the order of all of them. */
export interface Turn {
  readonly shortServerId: number;
  /** Registration Priority Order /1/x/13; undefined where it does not matter. */
  readonly priority: number | undefined;
  /** Registration Failure Block /1/x/15 */
  readonly onFailure: "block" | "proceed";
  /** `failed`: the sequences of attempts are over, or the server has refused. */
  readonly state: "waiting" | "trying" | "registered" | "failed";
}

/**
 * Which servers may begin to register now (OMA LwM2M Core 1.2 §6.2.1.1): those without a priority at once, the others one
 * after the other by rising priority, each when the one before is registered or has failed without blocking the rest.
 */
export function mayBegin(turns: readonly Turn[]): readonly number[] {
  const free = turns.filter(({ priority, state }) => priority === undefined && state === "waiting");
  const begun = free.map(({ shortServerId }) => shortServerId);
  const ordered = turns.filter(({ priority }) => priority !== undefined);
  ordered.sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
  for (const { state, onFailure, shortServerId } of ordered) {
    if (state === "waiting") return [...begun, shortServerId];
    if (state === "trying" || (state === "failed" && onFailure === "block")) return begun;
  }
  return begun;
}
