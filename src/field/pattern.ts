/** How many groups a regular expression of a profile has; undefined when it is none. */
export function groupCount(pattern: string): number | undefined {
  try {
    // An alternative that is always met gives a match with all groups.
    return (new RegExp(`${pattern}|`).exec("")?.length ?? 1) - 1;
  } catch {
    return undefined;
  }
}
