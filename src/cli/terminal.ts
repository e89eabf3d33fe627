import type { Event, EventSink } from "../events/event.ts";
import { humanRenderer, renderJsonEvent, type Style, styleFor } from "../report/index.ts";

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

export function openTerminal(json: boolean): Terminal {
  const noColor = process.env.NO_COLOR;
  const style = styleFor({
    isTerminal: process.stdout.isTTY === true,
    columns: process.stdout.columns,
    noColor,
  });
  const errorStyle = styleFor({
    isTerminal: process.stderr.isTTY === true,
    columns: process.stderr.columns,
    noColor,
  });
  const render = humanRenderer(errorStyle);
  const write = (stream: NodeJS.WriteStream, text: string | readonly string[]) => {
    const lines = typeof text === "string" ? [text] : text;
    if (lines.length > 0) stream.write(`${lines.join("\n")}\n`);
  };
  return {
    style,
    errorStyle,
    json,
    print: (text) => write(process.stdout, text),
    printError: (text) => write(process.stderr, text),
    printJsonLine: (value) => write(process.stdout, JSON.stringify(value)),
    emit: (event: Event) => {
      if (json) write(process.stdout, renderJsonEvent(event));
      else process.stderr.write(render(event));
    },
  };
}
