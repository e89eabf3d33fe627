import type { Event, EventSink } from "../events/event.ts";
import { humanRenderer, isColorful, renderJsonEvent, type Style, styleFor } from "../report/index.ts";
import { isBrokenPipe, type OutputStream, openOutput } from "../system/index.ts";

/** Where a command writes: results to standard output, everything about the work to standard error. */
export interface Terminal {
  /** For results. */
  readonly style: Style;
  /** For progress and problems. */
  readonly errorStyle: Style;
  readonly json: boolean;
  print(text: string | readonly string[]): void;
  printError(text: string | readonly string[]): void;
  /** One JSON value on one line, for commands that report while they work. */
  printJsonLine(value: unknown): void;
  /** Events of the work, as lines for people or as JSON lines. */
  readonly emit: EventSink;
}

export async function openTerminal(json: boolean): Promise<Terminal> {
  const [output, errors] = [openOutput(1), openOutput(2)];
  const noColor = process.env.NO_COLOR;
  const colors = [output, errors].some(({ isTerminal }) => isColorful({ isTerminal, noColor }))
    ? (await import("picocolors")).default.createColors(true)
    : undefined;
  const style = styleFor({ ...output, noColor, colors });
  const errorStyle = styleFor({ ...errors, noColor, colors });
  const render = humanRenderer(errorStyle);
  const write = (stream: OutputStream, text: string | readonly string[]) => {
    const lines = typeof text === "string" ? [text] : text;
    if (lines.length > 0) stream.write(`${lines.join("\n")}\n`);
  };
  return {
    style,
    errorStyle,
    json,
    print: (text) => write(output, text),
    printError: (text) => write(errors, text),
    printJsonLine: (value) => write(output, JSON.stringify(value)),
    emit: (event: Event) =>
      whereRead(() => {
        if (json) write(output, renderJsonEvent(event));
        else errors.write(render(event));
      }),
  };
}

/** Work goes on when whoever read of its progress has left. */
function whereRead(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!isBrokenPipe(error)) throw error;
  }
}
