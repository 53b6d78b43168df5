import type { Problems, WithSource } from "../base/schema.js";
import type { AccountRegistration, ServerAccount } from "../lwm2m/account/account.js";
import type { BootstrapConfig, ServerConfig } from "./config.js";
import type { ServerSection } from "./gateway-schema.js";
import { placeOf } from "./place.js";
import { readSecurity } from "./server-settings.js";

/** Reachable for this long after each message, unless the file says otherwise (OMA LwM2M Core 1.2 §6.6). */
const MAX_TRANSMIT_WAIT_MS = 93_000;

export function readServers(
  sections: readonly WithSource<ServerSection>[],
  bootstrap: BootstrapConfig | undefined,
  problems: Problems,
): readonly ServerConfig[] {
  const ids = new Set<number>();
  return sections.map(({ value, source }, index) => {
    const path = `servers[${index}]`;
    const shortServerId = value.shortServerId ?? index + 1;
    if (ids.has(shortServerId)) problems.add(source.at, path, `shortServerId ${shortServerId} is used twice`);
    ids.add(shortServerId);
    readSecurity(value.security, `${path}.security`, problems);
    if (value.awakeTime !== undefined && value.queueMode !== true) {
      problems.add(placeOf({ value, source }, "awakeTime"), `${path}.awakeTime`, "counts only with 'queueMode: true'");
    }
    const lifetimeS = secondsOf(value.lifetime ?? 300_000);
    // By default what no server could take is delivered afterwards.
    const { history = "send" } = value;
    // Only an acknowledged notification is known to have arrived, so a server that wants all of it gets those.
    const mode = value.notify ?? (history === "none" ? "non-confirmable" : "confirmable");
    const notify = mode === "confirmable" ? "CON" : "NON";
    const { rights } = value;
    if (rights !== undefined && sections.length === 1 && bootstrap === undefined) {
      problems.add(
        placeOf({ value, source }, "rights"),
        `${path}.rights`,
        "a server that is the only one has all rights",
      );
    }
    return {
      account: { uri: value.uri, shortServerId, lifetimeS, send: "open", notify, ...mannerOf(value) },
      history,
      ...(rights === undefined ? {} : { rights }),
    };
  });
}

/** How the server is registered with, and met afterwards. */
function mannerOf({ queueMode, awakeTime, profile, registration }: ServerSection): Partial<ServerAccount> {
  const awakeMs = queueMode === true ? (awakeTime ?? MAX_TRANSMIT_WAIT_MS) : undefined;
  return {
    ...(awakeMs === undefined ? {} : { awakeMs }),
    ...(profile === undefined ? {} : { profile: { id: profile.id, objects: profile.objects ?? "omitted" } }),
    ...(registration === undefined ? {} : { registration: registrationOf(registration) }),
  };
}

function registrationOf(section: NonNullable<ServerSection["registration"]>): AccountRegistration {
  const { priority, onFailure, bootstrapOnFailure, retryCount, sequenceRetryCount } = section;
  const { initialDelay, retryTimer, sequenceDelay } = section;
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(bootstrapOnFailure === undefined ? {} : { bootstrapOnFailure }),
    ...(initialDelay === undefined ? {} : { initialDelayS: secondsOf(initialDelay) }),
    ...(retryCount === undefined ? {} : { retryCount }),
    ...(retryTimer === undefined ? {} : { retryTimerS: secondsOf(retryTimer) }),
    ...(sequenceDelay === undefined ? {} : { sequenceDelayS: secondsOf(sequenceDelay) }),
    ...(sequenceRetryCount === undefined ? {} : { sequenceRetryCount }),
  };
}

function secondsOf(ms: number): number {
  return Math.round(ms / 1000);
}
