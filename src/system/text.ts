const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** One of each for all: to make them takes longer than what most commands read. */
export const toBytes = (text: string): Uint8Array => encoder.encode(text);

/** What is no UTF-8 becomes U+FFFD. */
export const toText = (bytes: Uint8Array): string => decoder.decode(bytes);

/** Writes what there is room for. @returns how much of the text that was, and of the bytes */
export const writeBytes = (text: string, to: Uint8Array) => encoder.encodeInto(text, to);
