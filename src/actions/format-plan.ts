import { type ArgvItem, argvItems, renderArgv, renderShell } from "../argv/index.ts";
import type { Plan } from "../plan/index.ts";

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
