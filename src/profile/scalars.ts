import * as z from "zod";
import { normalPciAddress, parseByteSize, parseIdSet, parseMacAddress } from "../units/index.ts";

import { identifierPattern, identifierWords } from "./identifier.ts";

/** What a value must be, in words, where the schema itself has only a pattern or a function. */
export interface Expectation {
  readonly needed: string;
  readonly fix: string;
}

/** The words by schema; the reader of profiles makes its diagnostics of them. */
export const expectations = z.registry<Expectation>();

/** The function of `units` that makes a schema's value of what was read, by its name. */
export const readers = z.registry<{ readonly name: string }>();

/** A value made from what was read by a function that answers undefined for what it cannot read. */
function readable<Input extends string | number, Value>(
  schema: z.ZodType<Input, Input>,
  read: (input: Input) => Value | undefined,
  expectation: Expectation,
) {
  const readableSchema = schema.transform((input, context): Value => {
    const value = read(input);
    if (value !== undefined) return value;
    context.issues.push({ code: "custom", input, message: expectation.needed });
    return z.NEVER;
  });
  expectations.add(readableSchema, expectation);
  readers.add(readableSchema, { name: read.name });
  return readableSchema;
}

/** Bytes: an integer, or "512M", "32G", "1T" (binary). */
export const byteSize = readable(
  z.union([z.int().nonnegative(), z.string().regex(/^\s*\d+(\.\d+)?\s*([KMGTkmgt]([Ii]?[Bb])?)?\s*$/)]),
  parseByteSize,
  {
    needed: 'a whole number of bytes, or text such as "512M", "32G" or "1T" (binary multiples)',
    fix: "write the number with K, M, G or T behind it, in quotes",
  },
);

/** A set of numbers: "0-3,^2,8". */
export const idSet = readable(z.string().regex(/^[\d,^\s-]*$/), parseIdSet, {
  needed: 'a list of numbers and ranges such as "0-3,^2,8"',
  fix: "write numbers and ascending ranges with commas between them, ^ before what is left out",
});

export const macAddress = readable(z.string().regex(/^[0-9A-Fa-f:]{17}$/), parseMacAddress, {
  needed: 'a unicast MAC address such as "52:54:00:12:34:56" (the first byte is even)',
  fix: "write six bytes in hexadecimal with colons between them, or leave the key out",
});

export const identifier = patterned(identifierPattern, identifierWords);

/** A path in the host's file system; relative ones count from the profile's folder. */
export const hostPath = patterned(/^[^\0\n\r]+$/, {
  needed: "a path, not empty, without line breaks",
  fix: "write the path of the file or folder, absolute or counted from the profile's folder",
});

/** Any text without line breaks, which no QEMU option can carry. */
export const lineOfText = patterned(/^[^\0\n\r]*$/, {
  needed: "text on one line",
  fix: "remove the line break or NUL",
});

/** A network interface's name, as Linux allows it. */
export const interfaceName = patterned(/^(?!\.{1,2}$)[^/:\s\0]{1,15}$/, {
  needed: "a network interface name: up to 15 characters, no slash, colon or space",
  fix: 'write the name as "ip link" lists it',
});

/** Text that must match a pattern, with words for what is needed in place of the pattern. */
export function patterned(pattern: RegExp, expectation: Expectation) {
  const schema = z.string().regex(pattern, { error: () => expectation.needed });
  expectations.add(schema, expectation);
  return schema;
}

/** A PCI slot on its bus: "1" or "1.0", hexadecimal, as QEMU's addr property has it. */
export const slotAddress = patterned(/^(0x)?[01]?[0-9a-fA-F](\.[0-7])?$/, {
  needed: 'a slot and function in hexadecimal, such as "1" or "1f.3" (slots 0-1f, functions 0-7)',
  fix: "write another slot, or leave the key out",
});

/** Of any version: QEMU takes 32 digits, and guests that were made long ago keep theirs. */
export const uuid = z.guid({ error: () => uuidNeeded });
const uuidNeeded = 'a UUID such as "0f2d1b06-6f4b-4a5c-9d27-9c1f3f1f5a10"';
expectations.add(uuid, { needed: uuidNeeded, fix: "write what uuidgen prints, or leave the key out" });

/** A PCI function of the host: "0000:19:00.0", or "19:00.0" in domain 0. */
export const pciAddress = readable(
  z.string().regex(/^([0-9A-Fa-f]{4,8}:)?[0-9A-Fa-f]{2}:[01][0-9A-Fa-f]\.[0-7]$/),
  normalPciAddress,
  {
    needed: 'a PCI address such as "0000:19:00.0"',
    fix: 'write the address as "lspci -D" or "qlaunch host show" lists it',
  },
);

/** Four hexadecimal digits of a PCI vendor or device. */
export const hexId = patterned(/^[0-9a-f]{4}$/, {
  needed: 'four hexadecimal digits in lower case, such as "10de"',
  fix: 'write the id as "lspci -n" lists it',
});
