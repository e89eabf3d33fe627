import { refusal } from "../errors/index.ts";
import { describeByteSize } from "../units/index.ts";
import type { LiveVm } from "./live.ts";

/** What QEMU locks beside the guest's memory. */
const overheadBytes = 2 ** 30;
/** Bit of CAP_IPC_LOCK in capabilities(7). */
const ipcLock = 14n;

/**
 * Lets QEMU lock what it gets, when the VM's memory is locked or devices are passed through: without the right it
 * would not get it, and a QEMU with passed-through devices aborts.
 * @param memoryBytes what the guest has afterwards
 * @see https://man7.org/linux/man-pages/man1/prlimit.1.html
 * @throws QlaunchError HOST_LOCKED_MEMORY
 */
export async function raiseLockLimit(
  { system, pid, name }: Pick<LiveVm, "system" | "pid" | "name">,
  memoryBytes: number,
): Promise<void> {
  if (mayLockAll(system.files.tryReadText(`/proc/${pid}/status`) ?? "")) return;
  const needed = memoryBytes + overheadBytes;
  const { soft, hard } = lockLimit(system.files.tryReadText(`/proc/${pid}/limits`) ?? "");
  if (soft >= needed) return;
  // Up to the hard limit needs no right but to be the same user.
  const limit =
    hard >= needed ? `${hard === Number.POSITIVE_INFINITY ? "unlimited" : hard}:` : "unlimited:unlimited";
  const words = ["--pid", String(pid), `--memlock=${limit}`];
  const { exitCode, stderr } = await system.processes.run("prlimit", words);
  if (exitCode === 0) return;
  throw refusal("HOST_LOCKED_MEMORY", {
    found: `QEMU of ${name} may lock ${describeByteSize(soft)}`,
    needed: `${describeByteSize(needed)}, since its memory is locked or devices are passed through`,
    fix: `as root: prlimit --pid ${pid} --memlock=unlimited:unlimited`,
    detail: stderr.trim(),
  });
}

function mayLockAll(status: string): boolean {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  return ((mask >> ipcLock) & 1n) === 1n;
}

/** Bytes; Infinity for "unlimited", and where the kernel tells nothing. */
function lockLimit(limits: string): { soft: number; hard: number } {
  const [, soft, hard] = /^Max locked memory\s+(\S+)\s+(\S+)/m.exec(limits) ?? [];
  const bytes = (word: string | undefined) =>
    word === undefined || word === "unlimited" ? Number.POSITIVE_INFINITY : Number(word);
  return { soft: bytes(soft), hard: bytes(hard) };
}
