import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Child, eventually } from "./child.js";
import { freeUdpPort } from "./coap-programs.js";
import { type LeshanEvent, readEvents } from "./leshan-events.js";
import { freePort, type Programs } from "./modbus-programs.js";

/**
 * `demo`: the newest demo server that is published as an artefact. `newest`: the newest server library with the demo's
 * REST in front; it also tells the time of each value of a Send.
 */
export type Edition = "demo" | "newest";

export interface Link {
  readonly url: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface LeshanClient {
  readonly endpoint: string;
  readonly registrationId: string;
  readonly lwM2mVersion: string;
  readonly lifetime: number;
  readonly objectLinks: readonly Link[];
}

/** A resource, an object instance or an object. */
export interface LeshanNode {
  readonly id: number;
  readonly value?: unknown;
  readonly resources?: readonly LeshanNode[];
  readonly instances?: readonly LeshanNode[];
}

export interface LeshanResponse {
  /** For instance "CONTENT(205)". */
  readonly status: string;
  readonly success: boolean;
  readonly errormessage?: string;
  readonly content?: LeshanNode;
  readonly objectLinks?: readonly Link[];
}

export const FOLDER = fileURLToPath(new URL("leshan/", import.meta.url));

/** Old Gson reads fields of the JDK's own classes. */
const DEMO_OPTIONS = ["java.util", "java.lang"].flatMap((name) => ["--add-opens", `java.base/${name}=ALL-UNNAMED`]);

/** The jars of one of the POMs beside the Java sources, fetched by Maven as it is set up on this machine. */
export function classPath(edition: Edition | "bootstrap", programs: Programs): string {
  const file = `${programs.folder}/${edition}.classpath`;
  const goal = ["dependency:build-classpath", `-Dmdep.outputFile=${file}`];
  try {
    execFileSync("mvn", ["-q", "-B", "-f", `${FOLDER}${edition}.xml`, ...goal], { stdio: "pipe" });
  } catch (error) {
    const said = error instanceof Error && "stdout" in error ? String(error.stdout).slice(-2000) : "";
    throw new Error(`this test needs Maven, and Leshan from its repository: ${said}`, { cause: error });
  }
  return readFileSync(file, "utf8").trim();
}

/** A Leshan server of its own process, asked over REST. Stopped and started again it has forgotten everything. */
export class LeshanServer implements AsyncDisposable {
  readonly coapPort: number;
  readonly events: LeshanEvent[] = [];
  readonly #webPort: number;
  readonly #args: readonly string[];
  readonly #folder: string;
  #child: Child | undefined;
  #listening = new AbortController();

  private constructor(coapPort: number, webPort: number, args: readonly string[], folder: string) {
    this.coapPort = coapPort;
    this.#webPort = webPort;
    this.#args = args;
    this.#folder = folder;
  }

  static async start(edition: Edition, programs: Programs): Promise<LeshanServer> {
    const [coap, coaps, web] = [await freeUdpPort(), await freeUdpPort(), await freePort()];
    const demo = classPath("demo", programs);
    const hosts = ["-lh", "-slh", "-wh"].flatMap((option) => [option, "127.0.0.1"]);
    const ports = ["-lp", `${coap}`, "-slp", `${coaps}`, "-wp", `${web}`];
    const args =
      edition === "demo"
        ? [
            ...DEMO_OPTIONS,
            `-Dlogback.configurationFile=${FOLDER}logback.xml`,
            ...["-cp", demo, "org.eclipse.leshan.server.demo.LeshanServerDemo", ...hosts, ...ports],
          ]
        : ["-cp", classPath("newest", programs), `${FOLDER}Server.java`, `${coap}`, `${web}`, modelsJar(demo)];
    const server = new LeshanServer(coap, web, args, programs.folder);
    await server.start();
    return server;
  }

  /** Starts it on the ports that it had before; resolves when it answers and its events are heard. */
  async start(): Promise<void> {
    // Californium leaves its settings where it is started.
    const child = new Child("java", this.#args, this.#folder);
    this.#child = child;
    const answers = async (): Promise<boolean> => {
      if (!child.isRunning) throw new Error(`Leshan has ended; it needs a JDK: ${child.complaint}`);
      return (await fetch(this.#url("/api/clients")).catch(() => undefined))?.ok === true;
    };
    await eventually("Leshan answers", answers, 60_000);
    this.#listening = new AbortController();
    await readEvents(this.#url("/event"), (event) => this.events.push(event), this.#listening.signal);
  }

  /** Ends it at once, as a power cut would. */
  async stop(): Promise<void> {
    // What it says until then is heard.
    await this.#child?.[Symbol.asyncDispose]();
    this.#listening.abort();
  }

  async client(endpoint: string): Promise<LeshanClient | undefined> {
    const response = await fetch(this.#url("/api/clients"));
    const clients: LeshanClient[] = JSON.parse(await response.text());
    return clients.find((client) => client.endpoint === endpoint);
  }

  /** Resolves when the client is registered. */
  async registration(endpoint: string, withinMs = 20_000): Promise<LeshanClient> {
    let found: LeshanClient | undefined;
    const isThere = async (): Promise<boolean> => {
      found = await this.client(endpoint);
      return found !== undefined;
    };
    await eventually(`${endpoint} registers`, isThere, withinMs);
    if (found === undefined) throw new Error("no registration");
    return found;
  }

  /** `path` is below the client, for instance `/3303/0/5700/observe`; `value` is written as JSON. */
  async ask(
    method: "GET" | "PUT" | "POST" | "DELETE",
    endpoint: string,
    path: string,
    node?: unknown,
  ): Promise<LeshanResponse> {
    const body = node === undefined ? {} : { body: JSON.stringify(node) };
    const response = await fetch(this.#url(`/api/clients/${endpoint}${path}`), {
      method,
      headers: { "content-type": "application/json" },
      ...body,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Leshan's REST answers ${response.status}: ${text.slice(0, 500)}`);
    return text === "" ? { status: "", success: true } : JSON.parse(text);
  }

  read(endpoint: string, path: string, format?: string): Promise<LeshanResponse> {
    return this.ask("GET", endpoint, format === undefined ? path : `${path}?format=${format}`);
  }

  #url(path: string): string {
    return `http://127.0.0.1:${this.#webPort}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** The demo's own jar has OMA's object models. */
function modelsJar(demoClassPath: string): string {
  const jar = demoClassPath.split(":").find((file) => file.includes("leshan-server-demo"));
  if (jar === undefined) throw new Error("the demo's jar is not on its class path");
  return jar;
}
