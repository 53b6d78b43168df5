import type { Truth } from "./truth.js";

const MAX_WRONG = 20;

/** What the server got, held against the truth. */
export class Ledger {
  readonly #truth: Truth;
  readonly #last = new Map<number, number>();
  readonly #wrong: string[] = [];
  #received = 0;
  #wrongCount = 0;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  get received(): number {
    return this.#received;
  }

  get wrongCount(): number {
    return this.#wrongCount;
  }

  /** The first ones. */
  get wrong(): readonly string[] {
    return this.#wrong;
  }

  /** `path` is that of a resource, such as `/3300/7/5700`. */
  receive(path: string, text: string): void {
    const [, objectId, instanceId, resourceId] = path.split("/").map(Number);
    if (objectId !== 3300 || resourceId !== 5700 || instanceId === undefined || text === "") return;
    this.#received++;
    const value = Number(text);
    const complaint = this.#truth.complaint(instanceId, value);
    if (complaint === undefined) {
      this.#last.set(instanceId, Math.max(value, this.#last.get(instanceId) ?? 0));
      return;
    }
    this.#wrongCount++;
    if (this.#wrong.length < MAX_WRONG) this.#wrong.push(`${path}: ${complaint}`);
  }

  /** Whether the server has what the point is now. */
  isCurrent(instance: number): boolean {
    return this.#last.get(instance) === this.#truth.current(instance);
  }
}
