import type { ConformanceCase, Verdict } from "./case.js";
import { GatewayUnderTest } from "./gateway.js";
import { Server } from "./server.js";

/** Cases that wait for most of their time run beside each other. */
const AT_ONCE = 6;
/** For the gateway to start on a busy machine. */
const START_MS = 30_000;

/** Each with a gateway and servers of its own; the verdicts are in the order of the cases. */
export async function runCases(
  cases: readonly ConformanceCase[],
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

async function judge(one: ConformanceCase): Promise<Verdict> {
  const { id, title } = one;
  const verdict = { id, title, entry: one.entry !== undefined };
  try {
    await runCase(one);
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
  await using gateway = await GatewayUnderTest.start(uris, one.field);
  try {
    const registration = await server.next("Register", START_MS);
    await one.run({ server, registration, second });
  } catch (error) {
    const { complaint } = gateway;
    if (complaint === "") throw error;
    throw new Error(`${String(error)}; the gateway says: ${complaint}`, { cause: error });
  }
}
