import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { converse, lineReader, type TalkEnding } from "../../src/rehearse/talk.ts";

/** One end of a port; what the program writes is collected, what the other end says is pushed. */
class Port extends Duplex {
  readonly written: string[] = [];
  override _read() {}
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.written.push(String(chunk));
    done();
  }
}

interface Talk {
  readonly job: Port;
  readonly output: Port;
  readonly console: Port;
  readonly lines: string[];
  readonly abort: AbortController;
  readonly ending: Promise<TalkEnding>;
  ready: number;
}

function talk(times: { bootMs?: number; jobMs?: number } = {}): Talk {
  const [job, output, console, abort] = [new Port(), new Port(), new Port(), new AbortController()];
  const lines: string[] = [];
  const started: Talk = {
    ...{ job, output, console, lines, abort, ready: 0 },
    ending: converse(
      { job, output, console },
      {
        job: "echo 'ä'\n",
        ...{ bootMs: 5000, jobMs: 5000, ...times },
        signal: abort.signal,
        onReady: () => started.ready++,
        onOutput: lineReader((line) => lines.push(line)),
      },
    ),
  };
  return started;
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("a talk with the simulated host", () => {
  it("gives the job when it is ready, and once, and ends with the job's status", async () => {
    const { job, output, lines, ending, ...rest } = talk();
    job.push("rea");
    job.push("dy\nready\n");
    await settle();
    expect(job.written.map((text) => Buffer.from(text, "base64").toString())).toEqual(["echo 'ä'\n"]);
    output.push('{"type":"step-st');
    output.push('arted"}\r\nwords\n');
    job.push("1\n");
    expect(await ending).toEqual({ kind: "ended", status: 1 });
    expect(lines).toEqual(['{"type":"step-started"}', "words"]);
    expect(rest).toBeDefined();
  });

  it("takes what comes just after the status", async () => {
    const { job, output, lines, ending } = talk();
    job.push("ready\n0\n");
    await settle();
    output.push("last\n");
    expect(await ending).toEqual({ kind: "ended", status: 0 });
    expect(lines).toEqual(["last"]);
  });

  it.each<[name: string, act: (talk: Talk) => void, kind: string]>([
    ["never gets ready", () => {}, "not-ready"],
    ["says a number before it is ready", ({ job }) => job.push("0\n"), "not-ready"],
    ["never tells how the job ended", ({ job }) => job.push("ready\n"), "silent"],
    ["ends", ({ job }) => job.push(null), "closed"],
    ["cannot be heard", ({ output }) => output.destroy(new Error("reset")), "closed"],
    [
      "has a kernel that panics",
      ({ console }) => console.push("[9.9] Kernel panic - not syncing: x\r\n"),
      "panicked",
    ],
    ["is not waited for any longer", ({ abort }) => abort.abort(), "aborted"],
  ])("one that %s", async (_, act, kind) => {
    const started = talk({ bootMs: 100, jobMs: 100 });
    act(started);
    expect(await started.ending).toEqual({ kind });
  });

  it("that is called off before it began does nothing", async () => {
    const [job, output, console] = [new Port(), new Port(), new Port()];
    const options = { job: "", bootMs: 1000, jobMs: 1000, onReady: () => {}, onOutput: () => {} };
    expect(await converse({ job, output, console }, { ...options, signal: AbortSignal.abort() })).toEqual({
      kind: "aborted",
    });
    expect(job.written).toEqual([]);
  });
});

it("lines come whole, with signs cut in two put together", () => {
  const lines: string[] = [];
  const take = lineReader((line) => lines.push(line));
  for (const byte of Buffer.from("ä\nzwei\r\nrest")) take(Buffer.of(byte));
  expect(lines).toEqual(["ä", "zwei"]);
});
