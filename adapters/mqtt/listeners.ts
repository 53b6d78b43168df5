import type { Message } from "./payload.js";

export type TopicListener = (message: Message) => void;

/** Who hears which topic. Stations share topics, so one subscription may have many listeners. */
export class TopicListeners {
  readonly #byTopic = new Map<string, Set<TopicListener>>();

  add(topic: string, listener: TopicListener): void {
    const listeners = this.#byTopic.get(topic);
    if (listeners === undefined) this.#byTopic.set(topic, new Set([listener]));
    else listeners.add(listener);
  }

  /** Whether nobody hears the topic any more. */
  delete(topic: string, listener: TopicListener): boolean {
    const listeners = this.#byTopic.get(topic);
    listeners?.delete(listener);
    return listeners?.size === 0 && this.#byTopic.delete(topic);
  }

  dispatch(message: Message): void {
    for (const listener of this.#byTopic.get(message.topic) ?? []) listener(message);
  }
}
