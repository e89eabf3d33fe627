import { affinityMask } from "./affinity-mask.ts";
import type { AffinityFailure, Processes, ThreadAffinity } from "./system.ts";
import { errorName } from "./system-error.ts";

type Runner = Pick<Processes, "run">;

/** The number of sched_setaffinity on this processor; undefined where nobody looked it up. @see man 2 syscalls */
export const systemCall = ({ x64: 203, arm64: 122 } as Partial<Record<NodeJS.Architecture, number>>)[
  process.arch
];

/** Lines of a thread and its mask in hexadecimal; answers with a thread and an error number for each that failed. */
const script = `while (<STDIN>) {
  my ($thread, $hexadecimal) = split;
  my $mask = pack("H*", $hexadecimal);
  print "$thread ", $! + 0, "\\n" if syscall($ARGV[0] + 0, $thread + 0, length($mask), $mask) < 0;
}`;

/** Words of the tools are read, so they speak English. */
const environment = { LC_ALL: "C" };

/**
 * All by one program. Perl can call the kernel without a module, and Debian cannot be without it.
 * @returns undefined when it did not run to its end
 * @see https://perldoc.perl.org/functions/syscall
 */
export async function pinByPerl(
  processes: Runner,
  pins: readonly ThreadAffinity[],
): Promise<AffinityFailure[] | undefined> {
  const lines = pins.map(
    ({ threadId, cpus }) => `${threadId} ${Buffer.from(affinityMask(cpus)).toString("hex")}\n`,
  );
  const { exitCode, stdout } = await processes.run("perl", ["-e", script, String(systemCall)], {
    input: lines.join(""),
    environment,
  });
  if (exitCode !== 0) return undefined;
  return [...stdout.matchAll(/^(\d+) (\d+)$/gm)].map(([, threadId, error]) => ({
    threadId: Number(threadId),
    code: errorName(Number(error)),
  }));
}

const codes: Readonly<Record<string, string>> = {
  "Invalid argument": "EINVAL",
  "No such process": "ESRCH",
  "Operation not permitted": "EPERM",
};

/**
 * One child of ours, and one of its own for each thread.
 * @see https://man7.org/linux/man-pages/man1/taskset.1.html
 */
export async function pinByTaskset(
  processes: Runner,
  pins: readonly ThreadAffinity[],
): Promise<AffinityFailure[]> {
  const words = pins.flatMap(({ cpus, threadId }) => [cpus.join(","), String(threadId)]);
  const arguments_ = ["--null", "--max-args=2", "taskset", "--pid", "--cpu-list"];
  const { stderr } = await processes.run("xargs", arguments_, {
    input: `${words.join("\0")}\0`,
    environment,
  });
  return [...stderr.matchAll(/pid (\d+)'s affinity: (.+)$/gm)].map(([, threadId, text = ""]) => ({
    threadId: Number(threadId),
    code: codes[text] ?? text,
  }));
}
