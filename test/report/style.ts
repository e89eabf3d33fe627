import picocolors from "picocolors";
import { type Style, styleFor } from "../../src/report/index.ts";

export const plain: Style = styleFor({ isTerminal: false });

export function terminal(columns: number): Style {
  return styleFor({ isTerminal: true, columns, colors: picocolors.createColors(true) });
}

/** A terminal's width and signs, without colours, so that tests can be read. */
export function colourless(columns: number): Style {
  return { ...terminal(columns), colors: plain.colors };
}
