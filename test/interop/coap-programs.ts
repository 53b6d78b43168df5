import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";

export interface Finished {
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs one of libcoap's programs to its end. Its exit code says little: it is 0 for any response. */
export async function run(
  program: string,
  args: readonly string[],
  input: Uint8Array = new Uint8Array(0),
): Promise<Finished> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const closed = once(child, "close").catch(explain(program));
  child.stdin.on("error", () => undefined).end(input);
  await closed;
  return { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}

/** Starts a program that goes on until disposed; waits until it has written `ready` to its standard output or error. */
export async function start(program: string, args: readonly string[], ready: RegExp): Promise<AsyncDisposable> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close").catch(explain(program));
  const isReady = new Promise<void>((resolve) => {
    let output = "";
    const onData = (chunk: Buffer): void => {
      output += chunk.toString();
      if (ready.test(output)) resolve();
    };
    child.stdout.on("data", onData);
    child.stderr.on("data", onData);
  });
  const ended = closed.then(() => {
    throw new Error(`${program} ended before it was ready`);
  });
  await Promise.race([isReady, ended]);
  ended.catch(() => undefined);
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await closed;
    },
  };
}

/** A UDP port that was free a moment ago. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

function explain(program: string): (error: unknown) => never {
  return (error) => {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw isMissing ? new Error(`${program} is not installed: apt-get install libcoap3-bin`, { cause: error }) : error;
  };
}
