import type { Clock, Timer } from "../../base/clock.js";
import { CausewayError } from "../../base/errors.js";
import type { TrafficCounter } from "../../coap/traffic.js";
import type { ModelRegistry } from "../model/model.js";
import type { ObjectTree, ResourceHandler } from "../tree.js";
import { type LiveObject, tellValue } from "./connectivity-monitoring.js";
import { requireModel } from "./require-model.js";

const TX_DATA = 2;
const RX_DATA = 3;
const MAX_MESSAGE_SIZE = 4;
const AVERAGE_MESSAGE_SIZE = 5;
const START = 6;
const STOP = 7;
const COLLECTION_PERIOD = 8;

/**
 * Adds object 7 (OMA LwM2M Core 1.2 Appendix E.8). Nothing is collected before a server executes Start; each Start
 * begins at zero. Without SMS there are no SMS counters. Throws LWM2M_MODEL when the definition is missing.
 */
export function addConnectivityStatistics(
  tree: ObjectTree,
  models: ModelRegistry,
  counter: TrafficCounter,
  clock: Clock,
): LiveObject & Disposable {
  let timer: Timer | undefined;
  let periodS = 0;
  const live = liveValues(counter);
  const refresh = (): void => {
    for (const [id, read] of live) tellValue(tree, [7, 0, id], read(), clock.nowMs());
  };
  const setPeriod = (value: number): void => {
    periodS = value;
    tree.set([7, 0, COLLECTION_PERIOD], { value, atMs: clock.nowMs() });
  };
  const stop = (): void => {
    timer?.cancel();
    timer = undefined;
    counter.stop();
    refresh();
  };
  const start = (): void => {
    timer?.cancel();
    timer = periodS === 0 ? undefined : clock.schedule(periodS * 1000, stop);
    counter.start();
    refresh();
  };
  const handlers = new Map<number, ResourceHandler>([
    ...live.map(([id, read]) => [id, { read }] as const),
    [START, { execute: async () => start() }],
    [STOP, { execute: async () => stop() }],
    [
      COLLECTION_PERIOD,
      {
        async write(value) {
          if (typeof value !== "number" || value < 0) {
            throw new CausewayError("VALUE_INVALID", "/7/0/8 takes seconds; 0 collects until Stop");
          }
          setPeriod(value);
        },
      },
    ],
  ]);
  tree.addInstance(requireModel(models, 7), 0, handlers);
  setPeriod(0);
  refresh();
  return { refresh, [Symbol.dispose]: () => timer?.cancel() };
}

function liveValues(counter: TrafficCounter): readonly (readonly [resourceId: number, read: () => number])[] {
  const toKb = (bytes: number): number => Math.floor(bytes / 1024);
  return [
    [TX_DATA, () => toKb(counter.traffic.sentBytes)],
    [RX_DATA, () => toKb(counter.traffic.receivedBytes)],
    [MAX_MESSAGE_SIZE, () => counter.traffic.longestBytes],
    [AVERAGE_MESSAGE_SIZE, () => averageBytes(counter)],
  ];
}

function averageBytes({ traffic }: TrafficCounter): number {
  const { sentBytes, receivedBytes, messages } = traffic;
  return messages === 0 ? 0 : Math.round((sentBytes + receivedBytes) / messages);
}
