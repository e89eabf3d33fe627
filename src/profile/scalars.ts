import { z } from "zod";
import { parseByteSize, parseIdSet, parseMacAddress } from "../units/index.ts";

/** What a custom check found wrong; the reader turns it into a Diagnostic. */
interface Expectation {
  readonly needed: string;
  readonly fix?: string;
}

/** Text turned into a value by a function that answers undefined for what it cannot read. */
function readable<T>(read: (text: string) => T | undefined, expectation: Expectation) {
  return z.string().transform((text, context): T => {
    const value = read(text);
    if (value === undefined) {
      context.issues.push({
        code: "custom",
        input: text,
        message: expectation.needed,
        params: { ...expectation },
      });
      return z.NEVER;
    }
    return value;
  });
}

const sizeNeeded = 'a whole number of bytes, or text such as "512M", "32G" or "1T" (binary multiples)';

/** Bytes: an integer, or "512M", "32G", "1T" (binary). */
export const byteSize = z
  .union([z.int().nonnegative(), z.string()], { error: () => sizeNeeded })
  .transform((value, context): number => {
    const bytes = parseByteSize(value);
    if (bytes === undefined) {
      context.issues.push({
        code: "custom",
        input: value,
        message: sizeNeeded,
        params: { needed: sizeNeeded },
      });
      return z.NEVER;
    }
    return bytes;
  });

/** A set of numbers: "0-3,^2,8". */
export const idSet = readable(parseIdSet, {
  needed: 'a list of numbers and ranges such as "0-3,^2,8"',
  fix: "write the numbers in ascending ranges, with ^ before what is left out",
});

export const macAddress = readable(parseMacAddress, {
  needed: 'a unicast MAC address such as "52:54:00:12:34:56" (the first byte is even)',
});

/**
 * An id that QEMU accepts: a letter, then letters, digits, "-", "." and "_". 24 characters at most, so that the
 * names derived from it stay within the 31 that block nodes may have.
 * @see https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html (node-name)
 */
export const identifier = patterned(/^[A-Za-z][A-Za-z0-9._-]{0,23}$/, {
  needed: 'a letter, then up to 23 letters, digits, "-", "." or "_"',
});

/** A path in the host's file system; relative ones count from the profile's folder. */
export const hostPath = patterned(/^[^\0\n\r]+$/, { needed: "a path without line breaks" });

/** A network interface's name, as Linux allows it. */
export const interfaceName = patterned(/^(?!\.{1,2}$)[^/:\s\0]{1,15}$/, {
  needed: "a network interface name: up to 15 characters, no slash, colon or space",
});

/** Text that must match a pattern, with words for what is needed in place of the pattern. */
export function patterned(pattern: RegExp, expectation: Expectation) {
  return z.string().regex(pattern, { error: () => expectation.needed });
}

/** A PCI slot on its bus: "1" or "1.0", hexadecimal, as QEMU's addr property has it. */
export const slotAddress = patterned(/^(0x)?[01]?[0-9a-fA-F](\.[0-7])?$/, {
  needed: 'a slot and function in hexadecimal, such as "1", "1f.3" (slots 0-1f, functions 0-7)',
});
