/** Adds the listener to those that are told; disposing ends that. */
export function subscribe<T>(listeners: Set<T>, listener: T): Disposable {
  listeners.add(listener);
  return new Subscription(listeners, listener);
}

class Subscription<T> implements Disposable {
  readonly #listeners: Set<T>;
  readonly #listener: T;

  constructor(listeners: Set<T>, listener: T) {
    this.#listeners = listeners;
    this.#listener = listener;
  }

  [Symbol.dispose](): void {
    this.#listeners.delete(this.#listener);
  }
}
