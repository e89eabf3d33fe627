import type { Plan } from "../plan/index.ts";
import { argvItems } from "./render.ts";

/** A command line for people to run by hand: quoted for the shell, an option a line, without the launcher's own monitor. */
export function renderShell(plan: Plan): string {
  const lines = argvItems(plan)
    .filter((item) => !item.launcherOnly)
    .map((item) => item.words.map(quote).join(" "));
  return [quote(plan.program), ...lines].join(" \\\n  ");
}

/** Single quotes around anything a shell could read. */
export function quote(token: string): string {
  return /^[\w@%+=:,./-]+$/.test(token) ? token : `'${token.replaceAll("'", `'\\''`)}'`;
}
