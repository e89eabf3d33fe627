import { type Diagnostic, QlaunchError, refusal } from "../errors/index.ts";
import type { Event, EventSink } from "../events/event.ts";
import type { PlannedDevice } from "../plan/types.ts";
import type { Row, Verification } from "../verify/index.ts";

/** What came of an assignment. */
export type InsideReport =
  | {
      readonly type: "result";
      readonly verification: Verification;
      /** As planned on the simulated host. */
      readonly devices: readonly PlannedDevice[];
      readonly drivers: readonly Row[];
    }
  | {
      readonly type: "problems";
      readonly diagnostics: readonly Diagnostic[];
      /** What QEMU and the guest said last. */
      readonly log: readonly string[];
    };

/** What the program on the simulated host prints: events, a report at the end, and what others say meanwhile. */
export class Answers {
  readonly #emit: EventSink;
  readonly #words: string[] = [];
  #report: InsideReport | undefined;

  constructor(emit: EventSink) {
    this.#emit = emit;
  }

  take(line: string): void {
    const value = parse(line);
    if (value === undefined) this.#words.push(line);
    else if (value.type === "result" || value.type === "problems") this.#report = value;
    else this.#emit(value);
  }

  /** @throws QlaunchError what went wrong there, with the words of those who know */
  result(status: number): Extract<InsideReport, { type: "result" }> {
    const report = this.#report;
    if (report?.type === "result") return report;
    const words = this.#words.slice(-lastWords).join("\n");
    const isLate = timeoutStatuses.includes(status);
    if (report?.type === "problems" && !isLate) {
      throw new QlaunchError(withLog(report.diagnostics, [...report.log, words]));
    }
    throw refusal("REHEARSE_HOST", {
      found: isLate ? "the rehearsal was not over in time" : `qlaunch ended with ${status} there`,
      needed: "a rehearsal that comes to its end",
      fix: isLate ? "give it more time with --timeout" : "run it again with --keep and look at its files",
      detail: [...(report?.log ?? []), words].filter(Boolean).join("\n"),
    });
  }
}

const lastWords = 60;
/** Of timeout(1): after it asked, and after it killed. */
const timeoutStatuses: readonly number[] = [124, 137];

function parse(line: string): Event | InsideReport | undefined {
  if (!line.startsWith('{"type":')) return undefined;
  try {
    return JSON.parse(line) as Event | InsideReport;
  } catch {
    return undefined;
  }
}

/** The log goes with the first problem. */
function withLog(diagnostics: readonly Diagnostic[], log: readonly string[]): Diagnostic[] {
  const text = log.filter((line) => line !== "").join("\n");
  return diagnostics.map((diagnostic, index) =>
    index > 0 || text === ""
      ? diagnostic
      : {
          ...diagnostic,
          detail: [diagnostic.detail, "on the simulated host:", text].filter(Boolean).join("\n"),
        },
  );
}
