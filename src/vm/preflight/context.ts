import type { Code, Diagnostic, JsonPath } from "../../errors/index.ts";
import type { Host } from "../../host/topology.ts";
import type { Plan } from "../../plan/types.ts";
import type { System } from "../../system/index.ts";
import type { Account } from "../accounts.ts";

/** What the checks of files and networks work from, for a VM that runs as well. */
export interface FileContext {
  readonly system: System;
  readonly plan: Plan;
  /** The account that QEMU runs as; undefined when it is ours. */
  readonly account: Account | undefined;
}

/** What every check works from. */
export interface CheckContext extends FileContext {
  readonly host: Host;
}

interface Problem {
  readonly found: string;
  readonly needed: string;
  readonly fix: string;
}

export function error(code: Code, path: JsonPath, problem: Problem): Diagnostic {
  return { code, severity: "error", path, ...problem };
}

/** The diagnostic when there is one. */
export function when(condition: boolean, make: () => Diagnostic): Diagnostic[] {
  return condition ? [make()] : [];
}
