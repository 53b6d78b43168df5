import type { DeviceEntry, PointEntry, StatusDocument } from "../local/document.js";
import type { BootstrapStatus } from "../lwm2m/bootstrap/bootstrap-session.js";
import { columns } from "./columns.js";
import { numberText } from "./number-text.js";

/** The document for people: tables of servers, buses and devices, and a line about the outbox. */
export function statusText(document: StatusDocument): readonly string[] {
  const { version, nowMs, startedAtMs, endpoints } = document;
  return [
    `${endpoints[0]?.endpoint ?? "gateway"}, causeway ${version}, up ${duration(nowMs - startedAtMs)}`,
    "",
    ...columns(serverRows(document)),
    "",
    ...columns(busRows(document)),
    "",
    ...columns(deviceRows(document)),
    "",
    outboxLine(document),
  ];
}

function serverRows({ endpoints, nowMs }: StatusDocument): readonly (readonly string[])[] {
  const rows = endpoints.flatMap(({ endpoint, servers, bootstrap }) => [
    ...servers.map((server) => {
      const { shortServerId, uri, state, version, observations, registeredAtMs, provenAtMs } = server;
      return [
        endpoint,
        String(shortServerId),
        uri,
        state,
        version ?? "-",
        String(observations),
        registeredAtMs === undefined ? "-" : duration(nowMs - registeredAtMs),
        provenAtMs === undefined ? "-" : `${duration(nowMs - provenAtMs)} ago`,
        attemptNote(server, nowMs),
      ];
    }),
    ...(bootstrap === undefined ? [] : [bootstrapRow(endpoint, bootstrap, nowMs)]),
  ]);
  return [["ENDPOINT", "SERVER", "URI", "STATE", "LWM2M", "OBSERVES", "FOR", "ACKNOWLEDGED", "NOTE"], ...rows];
}

function bootstrapRow(endpoint: string, bootstrap: BootstrapStatus, nowMs: number): readonly string[] {
  const { uri, state, finishedAtMs } = bootstrap;
  const done = finishedAtMs === undefined ? "" : `bootstrapped ${duration(nowMs - finishedAtMs)} ago`;
  const note = [done, attemptNote(bootstrap, nowMs)].filter((text) => text !== "").join(", ");
  return [endpoint, "bootstrap", uri, state, "-", "-", "-", "-", note];
}

/** Why the last attempt failed, and when the next one comes. */
function attemptNote(
  { lastFailure, retryAtMs }: Pick<BootstrapStatus, "lastFailure" | "retryAtMs">,
  nowMs: number,
): string {
  const why = lastFailure === undefined ? "" : `after ${lastFailure}`;
  const next = retryAtMs === undefined ? "" : `next in ${duration(Math.max(0, retryAtMs - nowMs))}`;
  return [why, next].filter((text) => text !== "").join(", ");
}

function busRows({ buses, nowMs }: StatusDocument): readonly (readonly string[])[] {
  const rows = buses.map(({ links, medium, state, sinceMs, utilisation, exchanges, faults, queued, fault }) => [
    links.join(" "),
    medium,
    state,
    duration(nowMs - sinceMs),
    `${Math.round(100 * utilisation)} %`,
    String(exchanges),
    Object.entries(faults)
      .map(([quality, count]) => `${count} ${quality}`)
      .join(", ") || "none",
    String(queued),
    fault === undefined ? "" : `${fault.code}: ${fault.message}`,
  ]);
  return [["BUS", "MEDIUM", "STATE", "FOR", "LOAD", "EXCHANGES", "FAULTS", "QUEUED", "NOTE"], ...rows];
}

function deviceRows({ devices, nowMs }: StatusDocument): readonly (readonly string[])[] {
  const rows = devices.map((device) => [
    device.name,
    device.link,
    device.health,
    duration(nowMs - device.sinceMs),
    device.lastAnswerMs === undefined ? "-" : `${duration(nowMs - device.lastAnswerMs)} ago`,
    qualities(device.points),
    String(device.skippedSlots),
    noteOf(device, nowMs),
  ]);
  return [["DEVICE", "LINK", "HEALTH", "FOR", "LAST VALUE", "POINTS", "SKIPPED", "NOTE"], ...rows];
}

/** As `9 good, 1 timeout`. */
function qualities(points: readonly PointEntry[]): string {
  const counts = new Map<string, number>();
  for (const { quality } of points) counts.set(quality, (counts.get(quality) ?? 0) + 1);
  return [...counts].map(([quality, count]) => `${count} ${quality}`).join(", ") || "none read";
}

/** What is wrong with a device: its silence, or the first fault, which says more than what simply has not come yet. */
function noteOf({ health, lastAnswerMs, points }: DeviceEntry, nowMs: number): string {
  const faulty = points.filter(({ reason }) => reason !== undefined);
  const bad = faulty.find(({ quality }) => quality !== "never-read") ?? faulty[0];
  if (health === "offline") {
    const silence = lastAnswerMs === undefined ? "has never answered" : `silent for ${duration(nowMs - lastAnswerMs)}`;
    return bad === undefined ? silence : `${silence}: ${bad.reason}`;
  }
  if (bad === undefined) return "";
  const alike = faulty.filter(({ reason }) => reason === bad.reason).length;
  const whose = alike > 1 ? `${bad.name} and ${alike - 1} more` : bad.name;
  return `${whose}: ${bad.reason}`;
}

/** Every point of every device. */
export function pointsText({ devices, nowMs }: StatusDocument): readonly string[] {
  const rows = devices.flatMap(({ name: device, points }) =>
    points.map(({ name, value, unit, quality, atMs, reason }) => [
      device,
      name,
      value === undefined ? "-" : typeof value === "number" ? numberText(value) : String(value),
      unit ?? "",
      quality,
      atMs === undefined ? "-" : `${duration(nowMs - atMs)} ago`,
      reason ?? "",
    ]),
  );
  return columns([["DEVICE", "POINT", "VALUE", "UNIT", "QUALITY", "AT", "REASON"], ...rows]);
}

function outboxLine({ outbox, nowMs }: StatusDocument): string {
  const { buffered, uncommitted, oldestAtMs, delivered, dropped } = outbox;
  const age = oldestAtMs === undefined ? "" : `, the oldest ${duration(nowMs - oldestAtMs)} old`;
  return `outbox: ${buffered + uncommitted} samples wait${age}; ${delivered} delivered later, ${dropped} given up`;
}

const UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "m"],
] as const;

/** The two largest units: `3d 4h`, `2m 5s`, `0.4s`. */
export function duration(ms: number): string {
  for (const [index, [unitMs, unit]] of UNITS.entries()) {
    if (ms < unitMs) continue;
    const [smallerMs, smaller] = UNITS[index + 1] ?? ([1000, "s"] as const);
    return `${Math.floor(ms / unitMs)}${unit} ${Math.floor((ms % unitMs) / smallerMs)}${smaller}`;
  }
  return ms < 10_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)}s` : `${Math.floor(ms / 1000)}s`;
}
