import type { ResourceType } from "../value.js";

/** R, W, E as in OMA's object definitions; `none` is for what only a bootstrap server may touch. */
export type Operations = "R" | "W" | "RW" | "E" | "none";

export interface ResourceModel {
  readonly id: number;
  readonly name: string;
  readonly operations: Operations;
  readonly multiple: boolean;
  readonly mandatory: boolean;
  /** Absent for executable resources. */
  readonly type?: ResourceType;
  /** Inclusive bounds of the value, or of the length for strings and opaque, where OMA's text could be parsed. */
  readonly range?: { readonly min: number; readonly max: number };
  /** Allowed values, where the definition enumerates them. */
  readonly allowed?: readonly (number | string)[];
  readonly units?: string;
}

export interface ObjectModel {
  readonly id: number;
  readonly name: string;
  /** Object version `major.minor`; "1.0" when the definition says none. */
  readonly version: string;
  readonly multiple: boolean;
  readonly mandatory: boolean;
  readonly resources: ReadonlyMap<number, ResourceModel>;
}

/** The object definitions that a client knows, newest version of each unless another is asked for. */
export interface ModelRegistry {
  object(objectId: number, version?: string): ObjectModel | undefined;
  readonly objectIds: readonly number[];
}
