/** Each puts its colour or weight around a text; those of picocolors, or ones that leave it as it is. */
export type Colors = Readonly<
  Record<"bold" | "dim" | "red" | "green" | "yellow" | "cyan", (text: string | number) => string>
>;

const noColors: Colors = {
  bold: String,
  dim: String,
  red: String,
  green: String,
  yellow: String,
  cyan: String,
};

/** How to write, decided once by the command: on a terminal, or for a file or another program. */
export interface Style {
  readonly colors: Colors;
  /** Lines may be rewritten, text may be cut to the width. */
  readonly interactive: boolean;
  /** Signs outside ASCII may be used. */
  readonly unicode: boolean;
  /** Width of the terminal, in characters; undefined where lines may be of any length. */
  readonly columns: number | undefined;
}

/** Where text goes. */
export interface Output {
  readonly isTerminal: boolean;
  readonly columns?: number | undefined;
  /** The variable NO_COLOR. @see https://no-color.org */
  readonly noColor?: string | undefined;
  /** What colours are made with, where there are some. Default: none are used. */
  readonly colors?: Colors | undefined;
}

/** Whether colours and signs outside ASCII may be used. */
export function isColorful({ isTerminal, noColor }: Output): boolean {
  return isTerminal && (noColor === undefined || noColor === "");
}

/** Colour and signs on a terminal; plain ASCII lines of any length elsewhere and with NO_COLOR. */
export function styleFor(output: Output): Style {
  const { isTerminal, columns, colors = noColors } = output;
  const isPlain = !isColorful(output);
  return {
    colors: isPlain ? noColors : colors,
    interactive: isTerminal,
    unicode: !isPlain,
    columns: isTerminal ? columns : undefined,
  };
}

/** Text of others on one line, without what would move a terminal's cursor or change its colours. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, " ");
}

/** Cut to a width; the cut is shown. */
export function fitted(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 3))}...`;
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
