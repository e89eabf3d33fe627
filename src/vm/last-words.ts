import type { Files } from "../system/index.ts";

/** Enough for any complaint, little enough for a message. */
const detailLimit = 4096;

/** What a program wrote to its log from an offset on, without QEMU's time stamps. */
export function readWords(files: Files, path: string, offset = 0): string[] {
  if (files.facts(path) === undefined) return [];
  const text = files.readFrom(path, offset).toString("utf8");
  return text
    .split("\n")
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, "").trimEnd())
    .filter((line) => line !== "");
}

/** The line that says what went wrong: the last that names its program and is no warning, else the last. */
export function findComplaint(words: readonly string[]): string | undefined {
  const complaints = words.filter((line) => !/\b(?:warning|info): /.test(line));
  const complaint =
    complaints.findLast((line) => /^[\w./-]+: /.test(line)) ?? complaints.at(-1) ?? words.at(-1);
  return complaint?.replace(/^qemu(?:-system-x86_64)?: /, "");
}

/** The end of what it said. */
export function quote(words: readonly string[]): string {
  const text = words.join("\n");
  return text.length <= detailLimit ? text : `...${text.slice(-detailLimit)}`;
}

/** Warnings of a QEMU that runs, once each; what TCG says of CPU features it lacks is left out. */
export function findWarnings(words: readonly string[]): string[] {
  const warnings = words.filter((line) => /\bwarning: /.test(line) && !line.includes("TCG doesn't support"));
  return [...new Set(warnings)].slice(0, 5);
}
