import { type Command, EXIT } from "../cli/command.js";

export const demo: Command = {
  name: "demo",
  synopsis: "[--for DURATION] [--json]",
  summary: "Runs an embedded LwM2M server and a simulated field, with the real gateway between them.",
  options: {},
  positionals: "none",
  run: () => Promise.resolve(EXIT.good),
};
