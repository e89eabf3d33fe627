import { renderArgv } from "../../src/argv/index.ts";
import type { Plan, QemuOption } from "../../src/plan/index.ts";
import { plan } from "../plan/planning.ts";

type Without<Option> = Option extends unknown ? Omit<Option, "because"> : never;

/** A plan with these options alone. */
export function planOf(...options: readonly Without<QemuOption>[]): Plan {
  return { ...plan(), options: options.map((option) => ({ ...option, because: ["test"] })) };
}

/** One option's words. */
export function spell(option: Without<QemuOption>): string {
  return renderArgv(planOf(option)).join(" ");
}
