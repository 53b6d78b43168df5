import { type FieldTool, type Finding, secondsArgument, textArgument } from "causeway/adapter";
import { LISTENED_RATES, listenForProfiles } from "./listen-scan.js";
import type { SerialPoint } from "./options.js";
import { findPorts, type PortFacts } from "./ports.js";

const DEFAULT_SECONDS = 12;

/** `causeway scan serial`: the ports there are; with `--port`, which device speaks on its own there. */
export const scanTool: FieldTool<SerialPoint> = {
  summary: "Lists the serial ports, or listens at one for a device that speaks on its own. Sends nothing.",
  synopsis: "[--port PATH]",
  whenNothing: "'causeway read serial --port PATH' shows what comes, and what comes when the device is asked",
  options: {
    port: {
      type: "string",
      value: "PATH",
      summary: `listens at this port, at ${LISTENED_RATES.join(", ")} baud in turn`,
    },
    seconds: { type: "string", value: "N", summary: `how long at each rate, ${DEFAULT_SECONDS} unless given` },
  },
  async run(args, { clock, profiles, found, progress }, signal) {
    const path = textArgument(args, "port") ?? args.positionals[0];
    if (path === undefined) {
      found(...(await findPorts()).map(portFinding));
      return;
    }
    const listenMs = secondsArgument(args, DEFAULT_SECONDS);
    const onRate = (baudRate: number): void => progress(`${path} at ${baudRate} baud`);
    try {
      const heard = await listenForProfiles(path, listenMs, profiles, { clock }, onRate, signal);
      for (const { profile, baudRate, frames, good, points } of heard) {
        found({ port: path, baudRate, profile, frames, points: `${good} of ${points}` });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  },
};

export function portFinding({ device, names, driver, usb, holders, problem }: PortFacts): Finding {
  const product = [usb?.maker, usb?.product].filter((part) => part !== undefined).join(" ");
  return {
    port: names[0] ?? device,
    device,
    driver,
    usb: usb?.id,
    product: product === "" ? undefined : product,
    serialNumber: usb?.serialNumber,
    heldBy: holders.length === 0 ? undefined : holders,
    note: problem,
  };
}
