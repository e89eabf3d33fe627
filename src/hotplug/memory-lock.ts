import { refusal } from "../errors/index.ts";
import { describeByteSize } from "../units/index.ts";
import { readDevices } from "./device-list.ts";
import type { LiveVm } from "./live.ts";
import { type PluggedMemory, readPluggedMemory } from "./memory-list.ts";

/** What QEMU locks beside the guest's memory. */
const overheadBytes = 2 ** 30;
/** Bit of CAP_IPC_LOCK in capabilities(7). */
const ipcLock = 14n;

/** Before memory comes to a guest whose memory is locked, or that has devices of the host. @throws as raiseLockLimit */
export async function raiseForMemory(
  live: LiveVm,
  memoryDevices: readonly PluggedMemory[],
  moreBytes: number,
): Promise<void> {
  const passed = await countPassed(live);
  if (live.plan.run.lockedBytes === 0 && passed === 0) return;
  await raiseLockLimit(live, memoryOf(live, memoryDevices) + moreBytes, addressSpaces(live, passed));
}

/** Before devices of the host come to a guest. @throws as raiseLockLimit */
export async function raiseForDevices(live: LiveVm, more: number): Promise<void> {
  const memoryBytes = memoryOf(live, await readPluggedMemory(live.qmp));
  await raiseLockLimit(live, memoryBytes, addressSpaces(live, (await countPassed(live)) + more));
}

/** What the guest has and may take of devices that it has, without another step. */
function memoryOf({ plan }: LiveVm, devices: readonly PluggedMemory[]): number {
  const atStart = plan.placement.cells.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return atStart + devices.reduce((sum, { maxBytes }) => sum + maxBytes, 0);
}

async function countPassed({ qmp }: LiveVm): Promise<number> {
  return (await readDevices(qmp)).filter(({ type }) => type.startsWith("vfio-")).length;
}

/** Behind an IOMMU of the guest each device has one of its own. */
function addressSpaces({ plan }: LiveVm, devices: number): number {
  const hasIommu = plan.options.some((option) => option.option === "device" && /-iommu/.test(option.driver));
  return hasIommu ? Math.max(1, devices) : 1;
}

/**
 * Lets QEMU lock what it gets: without the right it would not get it, and a QEMU with passed-through devices aborts.
 * @param memoryBytes what the guest has afterwards
 * @param spaces how many times it counts: once for each address space of devices
 * @see https://man7.org/linux/man-pages/man1/prlimit.1.html
 * @throws QlaunchError HOST_LOCKED_MEMORY
 */
export async function raiseLockLimit(
  { system, pid, name }: Pick<LiveVm, "system" | "pid" | "name">,
  memoryBytes: number,
  spaces = 1,
): Promise<void> {
  if (mayLockAll(system.files.tryReadText(`/proc/${pid}/status`) ?? "")) return;
  const needed = (memoryBytes + overheadBytes) * spaces;
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
