import type { Refusals, RefusedPoints } from "./field/refusals.js";
import type { ClientState, Json } from "./lwm2m/state/client-state.js";

const SECTION = "refusals";

/** What devices refuse, kept with the state of a client: a document for each device, of its present plan. */
export function keptRefusals(state: Pick<ClientState, "load" | "put">): Refusals {
  return {
    load(device, plan) {
      const kept = readDocument(state.load(SECTION).get(device));
      return kept?.plan === plan ? kept.refused : undefined;
    },
    save(device, plan, { alone, cuts }) {
      state.put(SECTION, device, { plan, alone, cuts });
    },
  };
}

/** Undefined for what cannot be understood: the device then shows again what it refuses. */
function readDocument(
  document: Json | undefined,
): { readonly plan: string; readonly refused: RefusedPoints } | undefined {
  if (typeof document !== "object" || document === null || !("plan" in document)) return undefined;
  const { plan, alone, cuts } = document;
  if (typeof plan !== "string" || !isTexts(alone) || !isTexts(cuts)) return undefined;
  return { plan, refused: { alone, cuts } };
}

function isTexts(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
