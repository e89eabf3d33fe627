/** Ctrl-], as in telnet and virsh. */
export const defaultEscapeByte = 0x1d;

/**
 * Splits what the user typed at the escape byte: what comes before goes to the guest, the rest nowhere.
 * @param escapeByte null lets everything through
 */
export function scanForEscape(
  chunk: Uint8Array,
  escapeByte: number | null,
): { readonly forward: Uint8Array; readonly escaped: boolean } {
  const index = escapeByte === null ? -1 : chunk.indexOf(escapeByte);
  return index === -1
    ? { forward: chunk, escaped: false }
    : { forward: chunk.subarray(0, index), escaped: true };
}
