#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --optimize-for-size --max-semi-space-size=4
import { runCli } from "./cli/cli.js";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => stop.abort(new Error(signal)));
}
// A reader that went away (causeway preview | head) is no reason for a stack trace.
process.stdout.on("error", () => stop.abort(new Error("standard output is closed")));

const REWRITE_LINE = "\r\u001b[K";
const before = process.stderr.isTTY ? REWRITE_LINE : "";

process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${process.stdout.isTTY ? before : ""}${line}\n`),
  err: (line) => void process.stderr.write(`${before}${line}\n`),
  ...(process.stderr.isTTY ? { progress: (text) => void process.stderr.write(before + text) } : {}),
  terminal: process.stdout.isTTY ? "terminal" : "pipe",
  environment: process.env,
  signal: stop.signal,
  onReload: (listener) => void process.on("SIGHUP", listener),
});
