import { CausewayError, toError } from "./errors.js";

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "may not be read by this user",
  EISDIR: "is a folder, not a file",
  ENOTDIR: "leads through a file that is no folder",
};

/** CONFIG_UNREADABLE, in plain words where the reason is a usual one. */
export function unreadable(path: string, cause: unknown): CausewayError {
  const error = toError(cause);
  const words = "code" in error ? WORDS[String(error.code)] : undefined;
  return new CausewayError(
    "CONFIG_UNREADABLE",
    words === undefined ? `${path}: ${error.message}` : `${path} ${words}`,
    {
      cause,
    },
  );
}
