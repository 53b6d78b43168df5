import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CausewayError } from "./errors.js";

const REFERENCE = /^\$\{(credential|env|file):([^}]+)\}$/;

/**
 * Follows `${credential:NAME}` (systemd credentials), `${env:NAME}` or `${file:PATH}`; other text is returned as it
 * is. A trailing line feed is dropped. Rejects with CONFIG_SECRET_MISSING, which names the reference, never the value.
 */
export async function resolveSecret(text: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const [, kind, name = ""] = REFERENCE.exec(text) ?? [];
  if (kind === undefined) return text;
  if (kind === "env") {
    const value = environment[name];
    if (value === undefined)
      throw new CausewayError("CONFIG_SECRET_MISSING", `environment variable ${name} is not set`);
    return value;
  }
  const path = kind === "file" ? name : join(credentialsDirectory(environment, name), name);
  try {
    return (await readFile(path, "utf8")).replace(/\r?\n$/, "");
  } catch (error) {
    throw new CausewayError("CONFIG_SECRET_MISSING", `${text} cannot be read`, { cause: error });
  }
}

function credentialsDirectory(environment: NodeJS.ProcessEnv, name: string): string {
  const directory = environment["CREDENTIALS_DIRECTORY"];
  if (directory !== undefined) return directory;
  const what = `credential ${name}: CREDENTIALS_DIRECTORY is not set, the gateway does not run under systemd`;
  throw new CausewayError("CONFIG_SECRET_MISSING", what);
}
