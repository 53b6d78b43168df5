import { CausewayError } from "../base/errors.js";
import type { AnyAdapter } from "./adapter.js";

/**
 * The adapter's module exports it as default: first the one that comes with Causeway (`adapters/NAME/index`), then the
 * npm package `causeway-adapter-NAME`. Rejects with ADAPTER_UNKNOWN.
 */
export async function loadAdapter(name: string): Promise<AnyAdapter> {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new CausewayError("ADAPTER_UNKNOWN", `'${name}' is no adapter's name`);
  const module =
    (await tryImport(new URL(`../../adapters/${name}/index.js`, import.meta.url).href)) ??
    (await tryImport(`causeway-adapter-${name}`));
  if (!isAdapterModule(module)) throw new CausewayError("ADAPTER_UNKNOWN", `no adapter '${name}' is installed`);
  return module.default;
}

async function tryImport(specifier: string): Promise<unknown> {
  try {
    return await import(specifier);
  } catch (error) {
    // A module that is there but does not load has a defect of its own, which must not be taken for absence.
    const absent = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
    if (absent && error.message.includes(specifier.replace(/^file:\/\//, ""))) return undefined;
    throw new CausewayError("ADAPTER_UNKNOWN", `adapter module ${specifier} cannot be loaded`, { cause: error });
  }
}

function isAdapterModule(module: unknown): module is { default: AnyAdapter } {
  if (typeof module !== "object" || module === null || !("default" in module)) return false;
  const adapter = module.default;
  return typeof adapter === "object" && adapter !== null && "open" in adapter && typeof adapter.open === "function";
}
