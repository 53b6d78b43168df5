/** Room for the values of one point; more than anybody changes them in a run. */
const PER_POINT = 1_000_000;

/**
 * What the points of the simulated devices have been. Each value says whose it is: the number of the point's instance at
 * the server times a million, plus a count. So a value of another point, of another device, a mixture of two values and
 * one of the future are all found out.
 */
export class Truth {
  readonly #counts: number[] = [];

  /** The instance ids of further points at the server, in the order of the configuration. */
  claim(count: number): readonly number[] {
    const first = this.#counts.length;
    for (let index = 0; index < count; index++) this.#counts.push(0);
    return this.#counts.slice(first).map((_, index) => first + index);
  }

  /** The next value of a point, which its device must hold from now on. */
  advance(instance: number): number {
    const count = ((this.#counts[instance] ?? 0) + 1) % PER_POINT;
    this.#counts[instance] = count;
    return this.current(instance);
  }

  current(instance: number): number {
    return instance * PER_POINT + (this.#counts[instance] ?? 0);
  }

  /** Why the point can never have had the value; undefined when it had. */
  complaint(instance: number, value: number): string | undefined {
    if (!Number.isInteger(value)) return `${value} is no value of any point`;
    const owner = Math.floor(value / PER_POINT);
    if (owner !== instance) return `${value} is a value of instance ${owner}`;
    return value <= this.current(instance) ? undefined : `${value} has not been yet`;
  }
}
