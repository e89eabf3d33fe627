import { unreachable } from "../errors/index.ts";
import type {
  Event,
  Notice,
  QmpEventSeen,
  StepEnded,
  StepFailed,
  StepUndone,
  Waiting,
} from "../events/event.ts";
import { describeDuration } from "./duration.ts";
import { fitted, printable, type Style } from "./style.ts";

const stepWidth = 26;
const summaryWidth = 36;
const durationWidth = 8;
/** Without a terminal, a wait says no more than one line in this time. */
const waitingIntervalMs = 10_000;
const clearLine = "\r\u001b[2K";

/**
 * Turns events into text as they come: a line for each step that ends. On a terminal the step at work is shown on a
 * line that the next text replaces. What it returns is to be written as it is; it may be empty.
 */
export function humanRenderer(style: Style): (event: Event) => string {
  let isTransient = false;
  const lastWaitMs = new Map<string, number>();

  const lines = (...texts: readonly string[]) => {
    const text = `${isTransient ? clearLine : ""}${texts.map((line) => `${line}\n`).join("")}`;
    isTransient = false;
    return text;
  };
  const transient = (text: string) => {
    if (!style.interactive) return "";
    isTransient = true;
    return `${clearLine}${style.colors.dim(fitted(text, (style.columns ?? 80) - 1))}`;
  };
  const waiting = (event: Waiting) => {
    const text = waitingText(event);
    if (style.interactive) return transient(text);
    const last = lastWaitMs.get(event.step);
    if (last !== undefined && event.elapsedMs - last < waitingIntervalMs) return "";
    lastWaitMs.set(event.step, event.elapsedMs);
    return lines(text);
  };

  return (event) => {
    switch (event.type) {
      case "step-started":
        lastWaitMs.delete(event.step);
        return transient(`  ${printable(event.step)} ...`);
      case "step-ended":
        return lines(endedLine(event, style));
      case "step-failed":
        return lines(failedLine(event, style));
      case "step-undone":
        return lines(undoneLine(event, style));
      case "waiting":
        return waiting(event);
      case "notice":
        return lines(noticeLine(event, style));
      case "qmp-event":
        return lines(renderQmpEvent(event, style));
      default:
        return unreachable(event);
    }
  };
}

/** An event of QEMU's on one line: when, which, and its data. */
function renderQmpEvent({ timestampMs, name, data }: QmpEventSeen, { colors }: Style): string {
  return `${new Date(timestampMs).toISOString()}  ${colors.bold(name)}  ${printable(JSON.stringify(data))}`;
}

function endedLine({ step, summary, elapsedMs }: StepEnded, style: Style): string {
  const mark = style.colors.green(style.unicode ? "✓" : "ok");
  return stepLine(mark, step, summary, elapsedMs, style);
}

function failedLine({ step, elapsedMs }: StepFailed, style: Style): string {
  const mark = style.colors.red(style.unicode ? "✗" : "no");
  return stepLine(mark, step, "failed", elapsedMs, style);
}

function stepLine(mark: string, step: string, summary: string, elapsedMs: number, { colors }: Style): string {
  const name = printable(step).padEnd(stepWidth);
  const result = printable(summary).padEnd(summaryWidth);
  return `${mark} ${name}  ${result}  ${colors.dim(describeDuration(elapsedMs).padStart(durationWidth))}`;
}

function undoneLine({ step, problem }: StepUndone, { colors, unicode }: Style): string {
  const name = `undone: ${printable(step)}`;
  if (problem === undefined) return `${colors.dim(unicode ? "↶" : "--")} ${name}`;
  return `${colors.red(unicode ? "✗" : "no")} ${name}  ${printable(problem)}`;
}

function waitingText({ step, reason, elapsedMs }: Waiting): string {
  return `  ${printable(step)}: ${printable(reason)}, ${describeDuration(elapsedMs)}`;
}

function noticeLine({ level, message }: Notice, { colors }: Style): string {
  return level === "warning"
    ? `${colors.yellow("warning:")} ${printable(message)}`
    : `note: ${printable(message)}`;
}
