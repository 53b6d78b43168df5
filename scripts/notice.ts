/** Copyright and licence of one object definition file, as its comments state them. */
export interface Notice {
  readonly objectId: number;
  readonly copyrights: readonly string[];
  readonly licence: LicenceName;
  readonly licenceText: string;
}

type LicenceName = "BSD-3-Clause" | "MIT" | "Apache-2.0";

const LICENCES: Readonly<Record<LicenceName, RegExp>> = {
  "BSD-3-Clause": /Redistribution and use in source[\s\S]*Neither the name[\s\S]*POSSIBILITY OF SUCH DAMAGE\./,
  MIT: /Permission is hereby granted, free of charge[\s\S]*DEALINGS\s+IN THE SOFTWARE\./,
  "Apache-2.0": /Apache License\s+Version 2\.0[\s\S]*?END OF TERMS AND CONDITIONS/,
};
const LICENCE_NAMES = ["BSD-3-Clause", "MIT", "Apache-2.0"] as const;

/** Undefined when the file states no copyright or no licence that is known here; then it may not be shipped. */
export function readNotice(xml: string, objectId: number): Notice | undefined {
  const comments = [...xml.matchAll(/<!--([\s\S]*?)-->/g)].map(([, text = ""]) => text.replaceAll("\r", "")).join("\n");
  const copyrights = comments.match(/^[ \t]*Copyright (?:\(c\) )?\d{4}.*$/gim)?.map((line) => line.trim()) ?? [];
  const licence = LICENCE_NAMES.find((name) => LICENCES[name].test(comments));
  const licenceText = licence === undefined ? undefined : LICENCES[licence].exec(comments)?.[0];
  if (licence === undefined || licenceText === undefined || copyrights.length === 0) return undefined;
  return { objectId, copyrights, licence, licenceText };
}

/** The text of the NOTICE file: who holds the rights in which objects, and each licence once. */
export function formatNotices(notices: readonly Notice[]): string {
  const holders = new Map<string, Set<number>>();
  for (const { objectId, copyrights, licence } of notices) {
    for (const copyright of copyrights) {
      const key = `${copyright}\n  ${licence}, objects `;
      holders.set(key, (holders.get(key) ?? new Set()).add(objectId));
    }
  }
  const lines = [...holders].map(([key, ids]) => `${key}${formatIds([...ids])}`).sort();
  const texts = LICENCE_NAMES.flatMap((name) => {
    const text = notices.find(({ licence }) => licence === name)?.licenceText;
    return text === undefined ? [] : [`${name}\n${"-".repeat(name.length)}\n\n${unindent(text)}`];
  });
  return `${[INTRODUCTION, ...lines, "The licences", ...texts].join("\n\n")}\n`;
}

const INTRODUCTION = `Causeway ships facts about LwM2M objects in models/objects.json. They are derived from the object definition
files of the OMA LwM2M Registry (https://github.com/OpenMobileAlliance/lwm2m-registry), changed into a compact
form without the descriptions. The files carry the copyrights and licences below. Open Mobile Alliance grants its
licence under copyright only; for patents see its IPR policy,
https://www.omaspecworks.org/about/intellectual-property-rights/`;

/** `0-7, 9, 3300-3350` */
export function formatIds(ids: readonly number[]): string {
  const spans: [number, number][] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last !== undefined && id <= last[1] + 1) last[1] = id;
    else spans.push([id, id]);
  }
  return spans.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(", ");
}

function unindent(text: string): string {
  return text.replaceAll(/^[ \t]+|[ \t]+$/gm, "").replaceAll(/\n{3,}/g, "\n\n");
}
