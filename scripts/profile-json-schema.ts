import type { JsonSchema } from "../src/base/schema.js";
import type { AnyAdapter } from "../src/field/adapter.js";
import { derivedPoint, pointSchemaOf, probeSchemaOf, setupSchemaOf } from "../src/mapping/point-schema.js";
import { profileFile } from "../src/mapping/profile-schema.js";

/** What editors need to complete and check a mapping file: the keys of its points depend on the adapter it names. */
export function profileJsonSchema(adapters: readonly AnyAdapter[]): JsonSchema {
  const names = adapters.map(({ name }) => name);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Causeway mapping file",
    ...profileFile.json,
    allOf: adapters.map((adapter) => ({
      if: { properties: { adapter: { const: adapter.name } }, required: ["adapter"] },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
      then: {
        properties: {
          points: { additionalProperties: pointJson(adapter) },
          ...(adapter.protocol === undefined ? {} : { protocol: adapter.protocol.json }),
          setup: { items: setupSchemaOf(adapter.point).json },
          probe: { items: probeSchemaOf(adapter.point).json },
        },
      },
    })),
    $comment: `generated from the schemas that the gateway checks with; adapters: ${names.join(", ")}`,
  };
}

/** Whether a point is of the device or derived is told by its key `expr`. */
function pointJson({ point }: AnyAdapter): JsonSchema {
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  return { if: { required: ["expr"] }, then: derivedPoint.json, else: pointSchemaOf(point).json };
}

export function formatJsonSchema(schema: JsonSchema): string {
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
