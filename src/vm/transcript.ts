import { formatTranscriptEntry, type TranscriptSink } from "../qmp/index.ts";
import type { Appender, Files } from "../system/index.ts";

/** The file is cut to its newer half when it grows beyond this. */
const fileLimitBytes = 1024 * 1024;
/** Longer messages, such as the answer to query-qmp-schema, are cut. */
const lineLimit = 4096;

/** Appends what crosses a monitor to a file of limited size. */
export function transcriptTo(files: Files, path: string): TranscriptSink {
  let sizeBytes = files.facts(path)?.sizeBytes ?? 0;
  let file: Appender | undefined;
  let held = "";
  let failure: unknown;
  const append = (lines: string) => {
    if (sizeBytes > fileLimitBytes) {
      file?.close();
      file = undefined;
      files.writeAtomically(path, newerHalf(files.readText(path)));
      sizeBytes = files.facts(path)?.sizeBytes ?? 0;
    }
    file ??= files.openAppend(path);
    sizeBytes += file.write(lines);
  };
  const flush = () => {
    const lines = held;
    held = "";
    try {
      append(lines);
    } catch (error) {
      failure = error;
    }
  };
  return (entry) => {
    if (failure !== undefined) throw failure;
    const full = formatTranscriptEntry(entry);
    const cut = full.length - lineLimit;
    // What crosses without a pause is written in one piece.
    if (held === "") queueMicrotask(flush);
    held += cut > 0 ? `${full.slice(0, lineLimit)} ... (${cut} characters more)\n` : `${full}\n`;
  };
}

function newerHalf(text: string): string {
  return text.slice(text.indexOf("\n", Math.floor(text.length / 2)) + 1);
}
