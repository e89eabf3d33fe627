import type { Files } from "../system/index.ts";

/** A resource limit of this program, which QEMU inherits; Infinity for "unlimited". */
export interface Limit {
  readonly soft: number;
  readonly hard: number;
}

/** @param name as /proc/self/limits spells it: "Max locked memory", "Max open files" */
export function readLimit(files: Files, name: string): Limit {
  const text = files.tryReadText("/proc/self/limits") ?? "";
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `)) ?? "";
  const [soft, hard] = line.slice(name.length).trim().split(/\s+/);
  const value = (word: string | undefined) =>
    word === undefined || word === "unlimited" ? Infinity : Number(word);
  return { soft: value(soft), hard: value(hard) };
}

/** Bits of capabilities(7). */
export const capabilities = { IPC_LOCK: 14, SYS_RESOURCE: 24 } as const;

/** Whether this program has a capability now. */
export function hasCapability(files: Files, capability: number): boolean {
  const text = files.tryReadText("/proc/self/status") ?? "";
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(text)?.[1] ?? "0"}`);
  return ((mask >> BigInt(capability)) & 1n) === 1n;
}

/**
 * The limit on locked memory that QEMU must be given; undefined when it needs none, or has what it needs.
 * @param ownAccount QEMU stays the user that we are, with our capabilities
 */
export function lockedMemoryLimit(
  files: Files,
  lockedBytes: number,
  ownAccount: boolean,
): number | "unlimited" | undefined {
  if (lockedBytes === 0) return undefined;
  if (ownAccount && hasCapability(files, capabilities.IPC_LOCK)) return undefined;
  const { soft, hard } = readLimit(files, "Max locked memory");
  if (soft >= lockedBytes) return undefined;
  // All that QEMU maps counts when it locks all, its own tables and caches too: a privileged start sets no limit.
  if (hasCapability(files, capabilities.SYS_RESOURCE)) return "unlimited";
  return hard === Infinity ? "unlimited" : hard;
}
