#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --optimize-for-size --max-semi-space-size=4
import { runCli } from "./cli/cli.js";
import { EXIT } from "./cli/command.js";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => stop.abort(new Error(signal)));
}
process.stdout.once("error", (error: NodeJS.ErrnoException) => {
  // A reader that went away (causeway preview | head) is no reason for a stack trace.
  if (error.code === "EPIPE") stop.abort(new Error("standard output is closed"));
  else {
    process.stderr.write(`error: standard output cannot be written: ${error.message}\n`);
    process.exitCode = EXIT.fatal;
  }
});
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

const REWRITE_LINE = "\r\u001b[K";
const before = process.stderr.isTTY ? REWRITE_LINE : "";
/** A line that wraps could not be rewritten. */
const fitted = (text: string): string => text.slice(0, (process.stderr.columns || 80) - 1);

const code = await runCli(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${process.stdout.isTTY ? before : ""}${line}\n`),
  err: (line) => void process.stderr.write(`${before}${line}\n`),
  ...(process.stderr.isTTY ? { progress: (text) => void process.stderr.write(before + fitted(text)) } : {}),
  terminal: process.stdout.isTTY ? "terminal" : "pipe",
  environment: process.env,
  signal: stop.signal,
  onReload: (listener) => void process.on("SIGHUP", listener),
});
process.exitCode ??= code;
