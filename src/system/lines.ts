import { calls, openFlags } from "./file-calls.ts";
import { toBytes, toText } from "./text.ts";

/** Small: the kernel fills what it is given. */
const pieceBytes = 512;
/**
 * The kernel makes whole lines until it has as many bytes as are asked for, so that for each such part it makes one line
 * at the most; what is left of a line is given before another is made.
 * @see https://www.kernel.org/doc/html/latest/filesystems/seq_file.html
 */
const shortestLineBytes = 16;

const lineFeed = 0x0a;

/** As `Files` has it. */
export function findLine(path: string, isIt: (line: string) => boolean): string | undefined {
  return readLines(path, () => pieceBytes, isIt);
}

/** As `Files` has it. */
export function findLineFrom(
  path: string,
  beginning: string,
  leastBytes: readonly number[] = [],
): string | undefined {
  const wanted = toBytes(beginning);
  /** Until it is known whether it is the one, and then byte by byte: where it ends is not known. */
  const restOf = (bytes: Uint8Array, begin: number, end: number) => {
    const known = Math.min(end - begin, wanted.length);
    for (let at = 0; at < known; at++) if (bytes[begin + at] !== wanted[at]) return shortestLineBytes;
    return Math.max(1, wanted.length - known);
  };
  return readLines(
    path,
    (ended, bytes, begin, end) => {
      const [own, ...following] = leastBytes.slice(ended);
      if (own === undefined) return end > begin ? restOf(bytes, begin, end) : shortestLineBytes;
      // What is still to come of these lines at the least: its end of the one that has begun, and all of the others.
      let least = Math.max(1, own - (end - begin));
      for (const each of following) least += each;
      return least;
    },
    (line) => line.startsWith(beginning),
  );
}

/**
 * The first line that is the one; undefined when there is none, or the file cannot be read.
 * @param nextBytes how much to read next, when so many lines have ended, and the next one is in `bytes` from `begin` to `end`
 */
function readLines(
  path: string,
  nextBytes: (ended: number, bytes: Uint8Array, begin: number, end: number) => number,
  isIt: (line: string) => boolean,
): string | undefined {
  const descriptor = calls.open(path, openFlags.read);
  if (descriptor < 0) return undefined;
  try {
    // Bytes until a line has ended: a piece may end within a letter.
    let bytes = new Uint8Array(2 * pieceBytes);
    let [begin, end, ended] = [0, 0, 0];
    for (;;) {
      const next = nextBytes(ended, bytes, begin, end);
      if (end + next > bytes.length) {
        const larger = new Uint8Array(2 * (end - begin + next));
        larger.set(bytes.subarray(begin, end));
        bytes = larger;
        [begin, end] = [0, end - begin];
      }
      const count = calls.read(descriptor, bytes.subarray(end, end + next));
      if (count <= 0) break;
      let newline = bytes.indexOf(lineFeed, end);
      end += count;
      for (; newline !== -1; newline = bytes.indexOf(lineFeed, begin)) {
        const line = toText(bytes.subarray(begin, newline));
        if (isIt(line)) return line;
        begin = newline + 1;
        ended += 1;
      }
    }
    const last = toText(bytes.subarray(begin, end));
    return last !== "" && isIt(last) ? last : undefined;
  } finally {
    calls.close(descriptor);
  }
}
