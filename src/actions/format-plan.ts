import { type ArgvItem, argvItems, renderArgv, renderShell } from "../argv/index.ts";
import type { ExportedDomain } from "../export/index.ts";
import type { Plan } from "../plan/index.ts";
import { leftOver, type NodeLeft } from "../plan/left-over.ts";
import { type P2pPair, planP2p } from "../plan/p2p.ts";
import { type Score, scorePlan } from "../plan/score.ts";
import { describeTaking, takenAtStart } from "../plan/taken-memory.ts";
import type { Planned } from "./plan.ts";

/** QEMU's arguments, one each. */
export function planArgv(plan: Plan): string[] {
  return renderArgv(plan);
}

/** The arguments by option, with the decisions behind each. */
export function planOptions(plan: Plan): ArgvItem[] {
  return argvItems(plan);
}

/** A command line for a shell. */
export function planShell(plan: Plan): string {
  return renderShell(plan);
}

/** How well it lies on the host, beside what other VMs hold. */
export function planScore({ plan, host, ledger }: Pick<Planned, "plan" | "host" | "ledger">): Score {
  return scorePlan(plan, host, ledger);
}

/** What nobody holds once it runs. */
export function planLeftOver({ plan, host, ledger }: Pick<Planned, "plan" | "host" | "ledger">): NodeLeft[] {
  return leftOver(plan, host, ledger);
}

/** Memory that is taken before the guest runs, and how long that is thought to take; undefined where there is none. */
export function planTaking({ plan }: Pick<Planned, "plan">): { bytes: number; estimate: string } | undefined {
  const taken = takenAtStart(plan);
  if (taken.length === 0) return undefined;
  return { bytes: taken.reduce((sum, { bytes }) => sum + bytes, 0), estimate: describeTaking(taken) };
}

/** Which of the devices of the host that the guest gets reach each other's memory. */
export function p2pTable({ plan, host }: Pick<Planned, "plan" | "host">): P2pPair[] {
  return planP2p(plan, host);
}

/** The plan as a libvirt domain, with what that cannot say; problems have their places in the profile. */
export async function planLibvirt({ profile, plan, host, locate }: Planned): Promise<ExportedDomain> {
  const { exportDomain } = await import("../export/index.ts");
  const { lines, warnings } = exportDomain(profile, plan, host);
  return { lines, warnings: await locate(warnings) };
}
