/**
 * Framing of the QEMU Machine Protocol: one JSON value a line. Pure: bytes in, lines out.
 * @see https://www.qemu.org/docs/master/interop/qmp-spec.html
 */

/** Longest line accepted, in bytes without its end. QEMU's own parser stops at the same size. */
const lineLimitBytes = 64 * 1024 * 1024;

/** One line as it came: a JSON value, or why it is none. `text` is the line without its end. */
export type DecodedLine =
  | { readonly text: string; readonly message: unknown }
  | { readonly text: string; readonly problem: string };

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** The line that carries a message to QEMU. Throws a TypeError for what JSON cannot carry (bigint, cycles). */
export function encodeLine(message: object): string {
  return `${JSON.stringify(message)}\n`;
}

/**
 * Joins chunks to lines. Chunks may end at any byte, also inside a character or between CR and LF.
 * Whole numbers above 2^53 come out rounded, as JSON.parse reads them.
 */
export class LineDecoder {
  readonly #limitBytes: number;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #broken = false;

  constructor(limitBytes: number = lineLimitBytes) {
    this.#limitBytes = limitBytes;
  }

  /** How many bytes of an unfinished line are held. */
  get heldBytes(): number {
    return this.#partBytes;
  }

  /** The lines that this chunk completes, in order. After a line above the limit nothing more comes out. */
  push(chunk: Uint8Array): DecodedLine[] {
    const lines: DecodedLine[] = [];
    let start = 0;
    while (!this.#broken && start < chunk.length) {
      const end = chunk.indexOf(lineFeed, start);
      this.#hold(chunk.subarray(start, end === -1 ? chunk.length : end));
      if (this.#partBytes > this.#limitBytes + 1) {
        lines.push(this.#refuse());
        break;
      }
      if (end === -1) break;
      start = end + 1;
      const line = decodeLine(this.#take(), this.#limitBytes);
      if (line !== undefined) lines.push(line);
    }
    return lines;
  }

  #hold(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#partBytes += part.length;
  }

  #take(): Uint8Array {
    const [first] = this.#parts;
    const whole = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#partBytes = 0;
    return whole;
  }

  #refuse(): DecodedLine {
    this.#broken = true;
    return tooLong(this.#take(), this.#limitBytes);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decodeLine(bytes: Uint8Array, limitBytes: number): DecodedLine | undefined {
  const body = bytes[bytes.length - 1] === carriageReturn ? bytes.subarray(0, -1) : bytes;
  if (body.length > limitBytes) return tooLong(body, limitBytes);
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    const shown = Buffer.from(body).toString("utf8");
    return { text: shown, problem: `a line that is not UTF-8: ${excerpt(shown)}` };
  }
  if (text.trim() === "") return undefined;
  try {
    return { text, message: JSON.parse(text) as unknown };
  } catch (error) {
    return { text, problem: `a line that is not JSON (${(error as Error).message}): ${excerpt(text)}` };
  }
}

function tooLong(bytes: Uint8Array, limitBytes: number): DecodedLine {
  const text = Buffer.from(bytes.subarray(0, 200)).toString("utf8");
  return { text, problem: `a line of more than ${limitBytes} bytes, which starts ${excerpt(text)}` };
}

/** Enough of a line to recognise it in a message. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
}
