import { eventually } from "./child.js";

/** A server-sent event of Leshan's: REGISTRATION, UPDATED, DEREGISTRATION, NOTIFICATION, SEND … */
export interface LeshanEvent {
  readonly kind: string;
  readonly data: string;
}

/** Resolves when the server listens to us; events come until the signal aborts or the server ends. */
export async function readEvents(url: string, hear: (event: LeshanEvent) => void, signal: AbortSignal): Promise<void> {
  let response: Response | undefined;
  const connects = async (): Promise<boolean> => {
    response = await fetch(url, { signal, headers: { accept: "text/event-stream" } }).catch(() => undefined);
    return response?.ok === true;
  };
  await eventually(`events at ${url}`, connects);
  const body = response?.body;
  if (body === null || body === undefined) throw new Error("no events");
  void pump(body, hear).catch(() => undefined);
}

async function pump(body: ReadableStream<Uint8Array>, hear: (event: LeshanEvent) => void): Promise<void> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text = `${text}${decoder.decode(chunk, { stream: true })}`.replaceAll("\r\n", "\n");
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const field = (name: string): string =>
        event
          .split("\n")
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).trim())
          .join("\n");
      if (field("event") !== "") hear({ kind: field("event"), data: field("data") });
    }
  }
}
