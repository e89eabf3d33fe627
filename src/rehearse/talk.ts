import type { Duplex } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { System } from "../system/index.ts";

export interface HostSockets {
  readonly job: string;
  readonly output: string;
  /** Where its kernel speaks. */
  readonly console: string;
}

export interface TalkOptions {
  readonly job: string;
  /** How long the simulated host gets until it is ready, and then until it tells how the job ended. */
  readonly bootMs: number;
  readonly jobMs: number;
  readonly signal: AbortSignal;
  /** It has booted and has its job. */
  readonly onReady: () => void;
  /** What the job prints, in pieces. */
  readonly onOutput: (chunk: Buffer) => void;
}

/** How a talk ended: with the job's exit status, or why there is none. */
export type TalkEnding =
  | { readonly kind: "ended"; readonly status: number }
  | { readonly kind: "not-ready" | "silent" | "closed" | "panicked" | "aborted" };

/** The two ports are not ordered: what was printed last may still be on its way. */
const lastWordsMs = 200;
/** A kernel that has given up does not always restart. */
const panicWords = "Kernel panic - not syncing";
/** No line that this program prints comes near it. */
const longestLine = 16 * 2 ** 20;

/** Gives the simulated host its job when it is ready, and listens until the job ends. */
export async function talkToHost(
  system: System,
  sockets: HostSockets,
  options: TalkOptions,
): Promise<TalkEnding> {
  const { sockets: door } = system;
  const console = await door.connectDuplex(sockets.console);
  const output = await door.connectDuplex(sockets.output);
  const job = await door.connectDuplex(sockets.job);
  try {
    return await converse({ job, output, console }, options);
  } finally {
    for (const socket of [job, output, console]) {
      socket.removeAllListeners().on("error", () => {});
      socket.destroy();
    }
  }
}

export function converse(
  { job, output, console }: Record<keyof HostSockets, Duplex>,
  { job: text, bootMs, jobMs, signal, onReady, onOutput }: TalkOptions,
): Promise<TalkEnding> {
  return new Promise((resolve) => {
    let isReady = false;
    const finish = (ending: TalkEnding) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      resolve(ending);
    };
    const abort = () => finish({ kind: "aborted" });
    if (signal.aborted) return resolve({ kind: "aborted" });
    signal.addEventListener("abort", abort, { once: true });
    let timer = setTimeout(() => finish({ kind: "not-ready" }), bootMs);
    output.on("data", onOutput);
    const takeJobPiece = lineReader((line) => {
      if (!isReady && line === "ready") {
        isReady = true;
        clearTimeout(timer);
        timer = setTimeout(() => finish({ kind: "silent" }), jobMs);
        job.write(`${Buffer.from(text).toString("base64")}\n`);
        onReady();
      } else if (isReady && /^\d{1,3}$/.test(line)) {
        clearTimeout(timer);
        timer = setTimeout(() => finish({ kind: "ended", status: Number(line) }), lastWordsMs);
      }
    });
    job.on("data", takeJobPiece);
    for (const end of ["error", "end", "close"]) job.on(end, () => finish({ kind: "closed" }));
    output.on("error", () => finish({ kind: "closed" }));
    const takeConsolePiece = lineReader((line) => {
      if (line.includes(panicWords)) finish({ kind: "panicked" });
    });
    console.on("data", takeConsolePiece);
    console.on("error", () => finish({ kind: "closed" }));
  });
}

/** Takes pieces of a text and gives its lines; what is not ended by a line's end is kept for the next piece. */
export function lineReader(onLine: (line: string) => void): (piece: Buffer) => void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  return (piece) => {
    const lines = (rest + decoder.write(piece)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line.replace(/\r$/, ""));
    if (rest.length > longestLine) rest = "";
  };
}
