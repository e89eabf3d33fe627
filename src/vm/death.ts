import { type QlaunchError, refusal } from "../errors/index.ts";
import type { Exit, Files } from "../system/index.ts";
import { knownDeaths } from "./death-table.ts";
import { describeExit } from "./helpers.ts";
import { findComplaint, quote, readWords } from "./last-words.ts";

/** What is known of a complaint of QEMU's. */
export interface Explanation {
  readonly needed: string;
  readonly fix: string;
}

/** What is known of an end, by QEMU's words or the signal. */
export function explain(exit: Exit, words: readonly string[]): Explanation | undefined {
  return explainWords(words) ?? explainSignal(exit);
}

/** The lines before the end that may say why: a helper's words stand above QEMU's own. */
const lastLines = 5;

/** Looks QEMU's last words up, the more special complaint first. Undefined when none is known. */
export function explainWords(words: readonly string[]): Explanation | undefined {
  const last = words.slice(-lastLines).reverse();
  for (const { words: pattern, needed, fix } of knownDeaths()) {
    for (const line of last) {
      const match = pattern.exec(line);
      if (match === null) continue;
      const fill = (text: string) =>
        text.replace(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? "");
      return { needed: fill(needed), fix: fill(fix) };
    }
  }
  return undefined;
}

/** The error of a start whose QEMU ended, in its own words, with the fix where one is known. */
export function explainExit(files: Files, logFile: string, exit: Exit): QlaunchError {
  const words = readWords(files, logFile);
  const complaint = findComplaint(words);
  const how = `QEMU ended (${describeExit(exit)}) before it was ready`;
  const known = explain(exit, words);
  return refusal("VM_START_FAILED", {
    found: complaint === undefined ? `${how}, without a word` : `${how}: ${complaint}`,
    needed: known?.needed ?? "a QEMU that starts with the options of the plan",
    fix: known?.fix ?? "see QEMU's words; qlaunch plan --format explain tells where each option comes from",
    ...(words.length === 0 ? {} : { detail: quote(words) }),
  });
}

function explainSignal({ signal }: Exit): Explanation | undefined {
  switch (signal) {
    case "SIGKILL":
      return {
        needed: "memory for the guest, and nobody who kills its QEMU",
        fix: "look whether the kernel ran out of memory: dmesg | grep -i 'out of memory'",
      };
    case "SIGBUS":
      return {
        needed: "free huge pages for all of the guest's memory",
        fix: "reserve more huge pages on the bound nodes, or set memory.prealloc so that the shortage shows at the start",
      };
    case "SIGSYS":
      return {
        needed: "system calls that the sandbox forbids",
        fix: "set sandbox.seccomp to false if you trust the guest, and report which device needs it",
      };
    case "SIGSEGV":
    case "SIGABRT":
      return {
        needed: "a QEMU that does not crash",
        fix: "try another version of QEMU, and report it to its makers",
      };
    default:
      return undefined;
  }
}
