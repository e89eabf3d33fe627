import type { Files, System } from "../system/index.ts";

/** A process is known by both: the kernel gives a pid to another process sooner or later, never at the same tick. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the host's boot and the start of the process. */
  readonly startTimeTicks: number;
}

/** What /proc/PID/stat says. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export interface ProcessStat {
  /** R, S, D, T, Z (ended and not yet reaped), X. */
  readonly state: string;
  readonly startTimeTicks: number;
  /** Time it has run, in user and kernel mode, in clock ticks. */
  readonly cpuTimeTicks: number;
  /** The CPU it ran on last. */
  readonly lastCpu: number;
}

/** USER_HZ: on Linux the kernel shows times to programs in hundredths of a second on every x86. */
export const ticksPerSecond = 100;

/** Reads a stat line. The name in parentheses may itself have spaces and parentheses. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text
    .slice(text.lastIndexOf(")") + 1)
    .trim()
    .split(" ");
  // The first field here is the third of the manual page.
  const field = (number: number) => Number(fields[number - 3]);
  const state = fields[0];
  const startTimeTicks = field(22);
  if (!text.includes(")") || state === undefined || !Number.isInteger(startTimeTicks)) return undefined;
  return { state, startTimeTicks, cpuTimeTicks: field(14) + field(15), lastCpu: field(39) };
}

export function readStat(files: Files, pid: number, threadId = pid): ProcessStat | undefined {
  const path = threadId === pid ? `/proc/${pid}/stat` : `/proc/${pid}/task/${threadId}/stat`;
  const text = files.tryReadText(path);
  return text === undefined ? undefined : parseStat(text);
}

/** The identity of a process that runs now; undefined when there is none. */
export function identify(files: Files, pid: number): ProcessIdentity | undefined {
  const stat = readStat(files, pid);
  return stat && { pid, startTimeTicks: stat.startTimeTicks };
}

/** Whether that very process still does or holds anything. */
export function isAlive(files: Files, identity: ProcessIdentity): boolean {
  const stat = readStat(files, identity.pid);
  if (stat === undefined || stat.startTimeTicks !== identity.startTimeTicks) return false;
  if (stat.state === "X") return false;
  // The first thread may have ended while others still hold the memory, the disks and the sockets.
  return stat.state !== "Z" || listThreads(files, identity.pid).length > 1;
}

/** The ids of its threads, in rising order; empty when the process is gone. */
export function listThreads(files: Files, pid: number): number[] {
  return (files.list(`/proc/${pid}/task`) ?? []).map(Number).sort((a, b) => a - b);
}

/** Memory in use, in bytes, huge pages included; undefined when the process is gone. */
export function residentBytes(files: Files, pid: number): number | undefined {
  const text = files.tryReadText(`/proc/${pid}/status`);
  if (text === undefined) return undefined;
  const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
  return (kibibytes("VmRSS") + kibibytes("HugetlbPages")) * 1024;
}

/**
 * Processes whose arguments hold this run of arguments. Finds what was started just before its starter died, without
 * leaving a note of its pid.
 */
export function findByArguments(files: Files, marks: readonly string[]): ProcessIdentity[] {
  const wanted = `\0${marks.join("\0")}\0`;
  return (files.list("/proc") ?? [])
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => files.tryReadText(`/proc/${pid}/cmdline`)?.includes(wanted))
    .flatMap((pid) => identify(files, Number(pid)) ?? []);
}

/** @returns false when it still lives after that time */
export async function waitForEnd(
  system: System,
  identity: ProcessIdentity,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = system.clock.elapsedMs() + timeoutMs;
  for (let pauseMs = 5; isAlive(system.files, identity); pauseMs = Math.min(pauseMs * 2, 100)) {
    const leftMs = deadline - system.clock.elapsedMs();
    if (leftMs <= 0) return false;
    await system.clock.sleep(Math.min(pauseMs, leftMs));
  }
  return true;
}

/** How long a process gets to end in order before it is killed. */
const graceMs = 2_000;
/** A killed process with terabytes of memory takes a while to give it back. */
const killedMs = 60_000;

/** Asks it to end, then kills it. @returns how it ended; undefined when it cannot be ended */
export async function endProcess(
  system: System,
  identity: ProcessIdentity,
): Promise<"gone" | "asked" | "killed" | undefined> {
  if (!isAlive(system.files, identity)) return "gone";
  system.processes.signal(identity.pid, "SIGTERM");
  if (await waitForEnd(system, identity, graceMs)) return "asked";
  system.processes.signal(identity.pid, "SIGKILL");
  return (await waitForEnd(system, identity, killedMs)) ? "killed" : undefined;
}
