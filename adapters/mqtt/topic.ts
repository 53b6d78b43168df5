import { CausewayError } from "causeway/adapter";

/** What `{name}` in the texts of a profile stands for: the fields of a station's address. */
export type Variables = ReadonlyMap<string, string>;

const VARIABLE = /\{([A-Za-z_]\w*)\}/g;

export function variablesOf(template: string): readonly string[] {
  return [...template.matchAll(VARIABLE)].map(([, name = ""]) => name);
}

/** Throws CONFIG_INVALID when a variable is not there. */
export function fill(template: string, variables: Variables): string {
  return template.replaceAll(VARIABLE, (_, name: string) => {
    const value = variables.get(name);
    if (value === undefined) throw new CausewayError("CONFIG_INVALID", `'${template}' needs '${name}' in the address`);
    return value;
  });
}

/** MQTT 3.1.1 §4.7: no wildcards, since one message is of one station, and a length that fits. */
export function topicProblem(topic: string): string | undefined {
  if (/[+#\0]/.test(topic)) return `topic '${topic}' has '+', '#' or a NUL; use variables such as {id}`;
  return Buffer.byteLength(topic) > 65_535 ? "a topic has at most 65535 bytes" : undefined;
}

/** The variables for which the template gives the topic; undefined when there are none. A variable is within a level. */
export function matchTopic(template: string, topic: string): Variables | undefined {
  const names = variablesOf(template);
  const literals = template.split(VARIABLE).filter((_, index) => index % 2 === 0);
  const match = new RegExp(`^${literals.map(escaped).join("([^/]+)")}$`).exec(topic);
  if (match === null) return undefined;
  const variables = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    const value = match[index + 1] ?? "";
    if ((variables.get(name) ?? value) !== value) return undefined;
    variables.set(name, value);
  }
  return variables;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
