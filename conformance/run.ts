import { BootstrapServer } from "./bootstrap-server.js";
import type { BootstrapCase, ConformanceCase, Verdict } from "./case.js";
import { type GatewayOptions, GatewayUnderTest } from "./gateway.js";
import { Server } from "./server.js";

type Case = ConformanceCase | BootstrapCase;

/** Cases that wait for most of their time run beside each other. */
const AT_ONCE = 6;
/** For the gateway to start on a busy machine. */
const START_MS = 30_000;

/** Each with a gateway and servers of its own; the verdicts are in the order of the cases. */
export async function runCases(
  cases: readonly Case[],
  onVerdict: (verdict: Verdict) => void,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const waiting = [...cases.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, one] = next;
      const verdict = await judge(one);
      verdicts[index] = verdict;
      onVerdict(verdict);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return verdicts;
}

async function judge(one: Case): Promise<Verdict> {
  const { id, title } = one;
  const verdict = { id, title, entry: "entry" in one && one.entry !== undefined };
  try {
    if ("interface" in one) await runBootstrapCase(one);
    else await runCase(one);
    return { ...verdict, result: "pass", ...(one.note === undefined ? {} : { what: one.note }) };
  } catch (error) {
    return { ...verdict, result: "differs", what: error instanceof Error ? error.message : String(error) };
  }
}

async function runCase(one: ConformanceCase): Promise<void> {
  await using server = new Server();
  await using second = new Server();
  const servers = one.servers === 2 ? [server, second] : [server];
  const uris = await Promise.all(servers.map((each) => each.uri()));
  const { field, rights, server: keys, gateway: gatewayKeys } = one;
  const options = {
    servers: uris,
    ...(keys === undefined ? {} : { keys }),
    ...(gatewayKeys === undefined ? {} : { gatewayKeys }),
    ...(field === undefined ? {} : { field }),
    ...(rights === undefined ? {} : { rights }),
  };
  await withGateway(options, async (gateway) => {
    const registration = await server.next("Register", START_MS);
    await one.run({ server, registration, second, gateway });
  });
}

async function runBootstrapCase(one: BootstrapCase): Promise<void> {
  await using server = new Server();
  await using bootstrap = new BootstrapServer();
  const setup = { server, bootstrap };
  await one.prepare?.(setup);
  const options = {
    servers: one.factory === "server" ? [await server.uri()] : [],
    bootstrap: { uri: await bootstrap.uri(), ...(one.pack === undefined ? {} : { pack: one.pack }) },
    ...(one.field === undefined ? {} : { field: one.field }),
  };
  await withGateway(options, () => one.run(setup));
}

async function withGateway(
  options: GatewayOptions,
  script: (gateway: GatewayUnderTest) => Promise<void>,
): Promise<void> {
  await using gateway = await GatewayUnderTest.start(options);
  try {
    await script(gateway);
  } catch (error) {
    const { complaint } = gateway;
    if (complaint === "") throw error;
    throw new Error(`${String(error)}; the gateway says: ${complaint}`, { cause: error });
  }
}
