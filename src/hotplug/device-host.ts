import type { Diagnostic } from "../errors/index.ts";
import { foreignAccount } from "../vm/accounts.ts";
import { checkFiles } from "../vm/preflight/files.ts";
import { checkNetworks } from "../vm/preflight/network.ts";
import { checkPassthrough } from "../vm/preflight/passthrough.ts";
import type { PlannedAddition } from "./device-plan.ts";
import type { LiveVm } from "./live.ts";

/** Files, taps, bridges and devices of the host, as before a start. */
export async function checkHost(
  live: LiveVm,
  { files, taps, bridges, passthrough }: PlannedAddition,
): Promise<Diagnostic[]> {
  const { system } = live;
  const plan = { ...live.plan, run: { ...live.plan.run, files, taps, bridges, passthrough } };
  const account = await foreignAccount(system, plan.run.user, { mayAsk: true });
  const context = { system, plan, account };
  const problems = [...checkFiles(context), ...checkNetworks(context), ...checkPassthrough(context)];
  return problems.map((problem) => ({ ...problem, path: [] }));
}
