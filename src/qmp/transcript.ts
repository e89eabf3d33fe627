/** One line of QMP as it crossed the wire, without its end. Passwords and secrets in it are not masked. */
export interface TranscriptEntry {
  /** Milliseconds since 1970. */
  readonly timestampMs: number;
  readonly direction: "sent" | "received";
  readonly text: string;
}

/** Takes each entry, in order. When it throws, the transcript stops; the connection does not. */
export type TranscriptSink = (entry: TranscriptEntry) => void;

/** `2026-11-20T10:00:00.000Z > {"execute":"stop","id":2}`; `>` was sent, `<` was received. */
export function formatTranscriptEntry(entry: TranscriptEntry): string {
  const mark = entry.direction === "sent" ? ">" : "<";
  return `${new Date(entry.timestampMs).toISOString()} ${mark} ${entry.text}`;
}

/** Hands lines to a sink that is not trusted to work. */
export function recordTo(
  sink: TranscriptSink | undefined,
  log: (message: string) => void,
): (direction: TranscriptEntry["direction"], text: string) => void {
  let stopped = sink === undefined;
  return (direction, text) => {
    if (stopped) return;
    try {
      sink?.({ timestampMs: Date.now(), direction, text });
    } catch (error) {
      stopped = true;
      log(`the QMP transcript stopped: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}
