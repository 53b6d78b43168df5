import { literalsOf, type Variables, variablesOf } from "causeway/adapter";

/** MQTT 3.1.1 §4.7: no wildcards, since one message is of one station, and a length that fits. */
export function topicProblem(topic: string): string | undefined {
  if (topic === "") return "a topic has a character at least";
  if (/[+#\0]/.test(topic)) return `topic '${topic}' has '+', '#' or a NUL; use variables such as {id}`;
  return Buffer.byteLength(topic) > 65_535 ? "a topic has at most 65535 bytes" : undefined;
}

/** The variables for which the template gives the topic; undefined when there are none. A variable is within a level. */
export function matchTopic(template: string, topic: string): Variables | undefined {
  const names = variablesOf(template);
  const match = new RegExp(`^${literalsOf(template).map(escaped).join("([^/]+)")}$`).exec(topic);
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
