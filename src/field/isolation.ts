/** What became of a request: `failed` says nothing of what was asked for. */
export type Outcome = "answered" | "refused" | "failed";

/**
 * Finds what a request for all items is refused for: each result must be asked alone, or is the first behind a hole.
 * One culprit among n costs at most log2(n) + 1 requests, after which all others have been answered. Undefined when a
 * request fails.
 */
export async function isolate<T>(
  refused: readonly T[],
  ask: (items: readonly T[]) => Promise<Outcome>,
): Promise<readonly T[] | undefined> {
  const suspects: T[] = [];
  let rest = refused;
  let begin: "in the middle" | "at the front" = "in the middle";
  while (rest.length > 1) {
    const index: number | undefined = await firstRefused(rest, begin, ask);
    if (index === undefined) return undefined;
    suspects.push(...rest.slice(index, index + 1));
    rest = rest.slice(index + 1);
    if (rest.length === 0) return suspects;
    const outcome = await ask(rest);
    if (outcome === "failed") return undefined;
    if (outcome === "answered") return suspects;
    // Culprits stand together: a whole table that is refused is so found out with two requests for each item.
    begin = index === 0 ? "at the front" : "in the middle";
  }
  return [...suspects, ...rest];
}

/** The end of the shortest beginning that is refused; all together are. */
async function firstRefused<T>(
  items: readonly T[],
  begin: "in the middle" | "at the front",
  ask: (items: readonly T[]) => Promise<Outcome>,
): Promise<number | undefined> {
  let low = 0;
  let high = items.length - 1;
  while (low < high) {
    const middle = begin === "at the front" && low === 0 ? 0 : (low + high) >> 1;
    const outcome = await ask(items.slice(0, middle + 1));
    if (outcome === "failed") return undefined;
    if (outcome === "refused") high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What the refusal of a request for several items is about. */
export type Verdict<T> =
  /** A request failed: nothing is known. */
  | { readonly kind: "failed" }
  /** It was in passing: asked once more, all together are answered. */
  | { readonly kind: "passed" }
  /** Each item is refused alone, too: that is the state of who was asked, and says nothing of single items. */
  | { readonly kind: "everything" }
  /** `alone` must be asked alone; no request goes on to `cuts` from before. */
  | { readonly kind: "parts"; readonly alone: readonly T[]; readonly cuts: readonly T[] };

/** As `isolate`, after which suspects are asked alone, and all together once more before anything is held against them. */
export async function diagnose<T>(
  refused: readonly T[],
  ask: (items: readonly T[]) => Promise<Outcome>,
): Promise<Verdict<T>> {
  const refusedAlone = new Set<T>();
  const suspects = await isolate(refused, async (items) => {
    const outcome = await ask(items);
    const [item, ...others] = items;
    if (outcome === "refused" && item !== undefined && others.length === 0) refusedAlone.add(item);
    return outcome;
  });
  if (suspects === undefined) return { kind: "failed" };
  const cuts: T[] = [];
  for (const suspect of suspects) {
    if (refusedAlone.has(suspect)) continue;
    const outcome = await ask([suspect]);
    if (outcome === "failed") return { kind: "failed" };
    if (outcome === "refused") refusedAlone.add(suspect);
    else cuts.push(suspect);
  }
  if (refusedAlone.size === refused.length) return { kind: "everything" };
  const outcome = await ask(refused);
  if (outcome === "failed") return { kind: "failed" };
  return outcome === "answered" ? { kind: "passed" } : { kind: "parts", alone: [...refusedAlone], cuts };
}
