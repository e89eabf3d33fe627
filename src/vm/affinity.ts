import { type Diagnostic, QlaunchError } from "../errors/index.ts";
import type { AffinityFailure, Files } from "../system/index.ts";
import { formatIdSet, type IdSet, parseIdSet } from "../units/index.ts";
import type { ThreadPin } from "./pin.ts";

/** Where the kernel lets a thread run; undefined when the thread is gone. */
export function allowedCpus(files: Files, pid: number, threadId: number): IdSet | undefined {
  const text = files.tryReadText(`/proc/${pid}/task/${threadId}/status`);
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(text ?? "")?.[1];
  return list === undefined ? undefined : parseIdSet(list);
}

/**
 * Compares every pinned thread with what /proc says. A worker that has ended since is no problem; a vCPU's thread is.
 * @param failures what the kernel refused
 * @throws QlaunchError VM_PIN_FAILED
 */
export function verifyPins(
  files: Files,
  pid: number,
  pins: readonly ThreadPin[],
  failures: readonly AffinityFailure[],
): void {
  const codes = new Map(failures.map(({ threadId, code }) => [threadId, code]));
  const problems = pins.flatMap((pin): Diagnostic[] => {
    const found = allowedCpus(files, pid, pin.threadId);
    const wanted = formatIdSet(pin.hostCpus);
    if (found === undefined && pin.what.startsWith("QEMU's thread")) return [];
    if (found !== undefined && formatIdSet(found) === wanted) return [];
    const code = codes.get(pin.threadId);
    return [
      {
        code: "VM_PIN_FAILED",
        severity: "error",
        path: [],
        found:
          found === undefined
            ? `${pin.what} has no thread ${pin.threadId}`
            : `${pin.what} (thread ${pin.threadId}) may run on host CPUs ${formatIdSet(found)}`,
        needed: `host CPUs ${wanted}`,
        fix: fixes[code ?? ""] ?? cpusetFix,
        ...(code === undefined ? {} : { detail: `sched_setaffinity of thread ${pin.threadId}: ${code}` }),
      },
    ];
  });
  if (problems.length > 0) throw new QlaunchError(problems);
}

const cpusetFix =
  "look whether a cpuset of the control group keeps those CPUs away (cpuset.cpus.effective), and whether they are online";

const fixes: Readonly<Record<string, string>> = {
  EPERM: "run it as root, or as the user that QEMU runs as",
  ESRCH: "look in the log why QEMU's thread ended (`qlaunch logs`)",
};
