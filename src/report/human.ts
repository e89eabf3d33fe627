import { unreachable } from "../errors/index.ts";
import type {
  Event,
  MemoryProgress,
  Notice,
  QmpEventSeen,
  StepEnded,
  StepFailed,
  StepUndone,
  Waiting,
} from "../events/event.ts";
import { describeByteSize } from "../units/index.ts";
import { describeDuration } from "./duration.ts";
import { fitted, printable, type Style } from "./style.ts";

const stepWidth = 26;
const summaryWidth = 36;
const durationWidth = 8;
/** Without a terminal, a wait says no more than one line in this time. */
const waitingIntervalMs = 10_000;
const clearLine = "\r\u001b[2K";
const lineUp = "\u001b[1A";

/**
 * Turns events into text as they come: a line for each step that ends. On a terminal the step at work is shown on
 * lines that the next text replaces. What it returns is to be written as it is; it may be empty.
 */
export function humanRenderer(style: Style): (event: Event) => string {
  let transientLines = 0;
  const lastWaitMs = new Map<string, number>();

  const cleared = () => {
    const text =
      transientLines === 0 ? "" : `${clearLine}${`${lineUp}${clearLine}`.repeat(transientLines - 1)}`;
    transientLines = 0;
    return text;
  };
  const lines = (...texts: readonly string[]) => `${cleared()}${texts.map((line) => `${line}\n`).join("")}`;
  const transient = (...texts: readonly string[]) => {
    if (!style.interactive) return "";
    const start = cleared() || clearLine;
    transientLines = texts.length;
    const width = (style.columns ?? 80) - 1;
    return `${start}${texts.map((text) => style.colors.dim(fitted(text, width))).join("\n")}`;
  };
  /** Without a terminal: one line, and not always. */
  const seldom = ({ step, elapsedMs }: Waiting | MemoryProgress, text: string) => {
    const last = lastWaitMs.get(step);
    if (last !== undefined && elapsedMs - last < waitingIntervalMs) return "";
    lastWaitMs.set(step, elapsedMs);
    return lines(text);
  };
  const waiting = (event: Waiting) => {
    const text = waitingText(event);
    return style.interactive ? transient(text) : seldom(event, text);
  };
  const memoryProgress = (event: MemoryProgress) => {
    const nodes = event.nodes.map(nodeText);
    if (style.interactive) return transient(progressText(event), ...nodes.map((text) => `    ${text}`));
    return seldom(event, [progressText(event), ...nodes].join("; "));
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
      case "memory-progress":
        return memoryProgress(event);
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

function progressText({ step, bytes, totalBytes, elapsedMs, remainingMs }: MemoryProgress): string {
  const left = remainingMs === undefined ? "" : `, about ${describeDuration(wholeSeconds(remainingMs))} left`;
  const amount = `${describeByteSize(bytes)} of ${describeByteSize(totalBytes)} of memory in place`;
  return `  ${printable(step)}: ${amount}, ${describeDuration(elapsedMs)}${left}`;
}

function nodeText({ node, bytes, totalBytes }: MemoryProgress["nodes"][number]): string {
  const of = totalBytes === undefined ? "" : ` of ${describeByteSize(totalBytes)}`;
  return `node ${node}: ${describeByteSize(bytes)}${of}`;
}

/** An estimate has no tenths. */
function wholeSeconds(milliseconds: number): number {
  return Math.max(1, Math.round(milliseconds / 1000)) * 1000;
}

function noticeLine({ level, message }: Notice, { colors }: Style): string {
  return level === "warning"
    ? `${colors.yellow("warning:")} ${printable(message)}`
    : `note: ${printable(message)}`;
}
