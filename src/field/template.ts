import { CausewayError } from "../base/errors.js";

/** What `{name}` in the texts of a profile stands for: the fields of a station's address. */
export type Variables = ReadonlyMap<string, string>;

const VARIABLE = /\{([A-Za-z_]\w*)\}/g;

export function variablesOf(template: string): readonly string[] {
  return [...template.matchAll(VARIABLE)].map(([, name = ""]) => name);
}

/** What stands between the variables; one more than there are variables. */
export function literalsOf(template: string): readonly string[] {
  return template.split(VARIABLE).filter((_, index) => index % 2 === 0);
}

/** Throws CONFIG_INVALID when a variable is not there. */
export function fillTemplate(template: string, variables: Variables): string {
  return template.replaceAll(VARIABLE, (_, name: string) => {
    const value = variables.get(name);
    if (value === undefined) throw new CausewayError("CONFIG_INVALID", `'${template}' needs '${name}' in the address`);
    return value;
  });
}
