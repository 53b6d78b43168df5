import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GATEWAY_NODE, MeasuredProcess } from "./process.js";

const GATEWAY_CORE = 0;

/** A folder with a gateway's configuration and state, for gateways that are started as a service starts them. */
export class Site implements Disposable {
  readonly folder: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "bench-"));
  }

  write(name: string, document: object): string {
    const file = join(this.folder, name);
    writeFileSync(file, JSON.stringify(document, undefined, 1));
    return file;
  }

  /** Resolves when the log has `ready`. */
  start(ready: RegExp): Promise<MeasuredProcess> {
    const main = fileURLToPath(new URL("../bundle/src/main.js", import.meta.url));
    const file = join(this.folder, "causeway.json");
    return MeasuredProcess.start(GATEWAY_CORE, [...GATEWAY_NODE, main, "run", "-c", file], ready);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
