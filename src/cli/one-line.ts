/** Text of a device or a broker for a terminal, whose cursor and colours it must not move. */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{C}/gu, "·");
}
