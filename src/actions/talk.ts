import { talkToHost } from "../rehearse/index.ts";
import { join, type System } from "../system/index.ts";

/** It takes 10 s on an idle machine. */
const bootMs = 90_000;
/** What the host needs beside the job's own time. */
const reserveMs = 60_000;
const lastLines = 40;
/** As scripts/lab documents it. */
const hostFailed = 125;

const endings = {
  "not-ready": `the simulated host was not ready within ${bootMs / 1000} s`,
  silent: "the simulated host did not tell in time how its job ended",
  closed: "the simulated host ended before its job did",
  panicked: "the simulated host's kernel gave up",
  aborted: "the talk was ended by a signal",
};

/**
 * Gives the simulated host whose sockets are in a folder a job, for scripts/lab. A file beside the job, with .taken
 * behind its name, says that the host has it.
 * @returns the job's exit status, or 125 and why there is none
 */
export async function talkInFolder(
  system: System,
  given: { folder: string; jobFile: string; seconds: number; onOutput: (piece: Buffer) => void },
): Promise<{ status: number; words: readonly string[] }> {
  const { folder, jobFile, seconds, onOutput } = given;
  const ending = await talkToHost(
    system,
    {
      job: join(folder, "job.sock"),
      output: join(folder, "output.sock"),
      console: join(folder, "serial0.sock"),
    },
    {
      job: system.files.readText(jobFile),
      bootMs,
      jobMs: seconds * 1000 + reserveMs,
      signal: new AbortController().signal,
      onReady: () => system.files.writeAtomically(`${jobFile}.taken`, ""),
      onOutput,
    },
  );
  if (ending.kind === "ended") return { status: ending.status, words: [] };
  const console = system.files.tryReadText(join(folder, "serial0.log"))?.trimEnd().split("\n") ?? [];
  return {
    status: hostFailed,
    words: [endings[ending.kind], "the last lines of its console:", ...console.slice(-lastLines)],
  };
}
