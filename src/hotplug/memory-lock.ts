import { refusal } from "../errors/index.ts";
import { describeByteSize } from "../units/index.ts";
import type { LiveVm } from "./live.ts";

/** Bit of CAP_IPC_LOCK in capabilities(7). */
const ipcLock = 14n;

/**
 * Lets QEMU lock what it gets, when the VM's memory is locked: without the right it would not get it, and one that
 * has devices passed through would die of it.
 * @see https://man7.org/linux/man-pages/man1/prlimit.1.html
 * @throws QlaunchError HOST_LOCKED_MEMORY
 */
export async function raiseLockLimit({ system, plan, pid, name }: LiveVm, moreBytes: number): Promise<void> {
  if (plan.run.lockedBytes === 0 || mayLockAll(system.files.tryReadText(`/proc/${pid}/status`) ?? "")) return;
  const needed = plan.run.lockedBytes + moreBytes;
  const limit = lockLimit(system.files.tryReadText(`/proc/${pid}/limits`) ?? "");
  if (limit >= needed) return;
  const { exitCode, stderr } = await system.processes.run("prlimit", [
    "--pid",
    String(pid),
    "--memlock=unlimited:unlimited",
  ]);
  if (exitCode === 0) return;
  throw refusal("HOST_LOCKED_MEMORY", {
    found: `QEMU of ${name} may lock ${describeByteSize(limit)}`,
    needed: `${describeByteSize(needed)}, since its memory is locked`,
    fix: `as root: prlimit --pid ${pid} --memlock=unlimited:unlimited`,
    detail: stderr.trim(),
  });
}

function mayLockAll(status: string): boolean {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  return ((mask >> ipcLock) & 1n) === 1n;
}

/** Bytes; Infinity for "unlimited". */
function lockLimit(limits: string): number {
  const soft = /^Max locked memory\s+(\S+)/m.exec(limits)?.[1];
  return soft === undefined || soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}
