import { type Diagnostic, QlaunchError } from "../../errors/index.ts";
import type { Host } from "../../host/topology.ts";
import type { Plan } from "../../plan/types.ts";
import type { System } from "../../system/index.ts";
import { type Account, foreignAccount } from "../accounts.ts";
import { runsAlready } from "../claim.ts";
import { readLiveness, readRecord } from "../record.ts";
import { checkOwnFolder, checkSocketPaths, placesFor, runRoot, runSockets } from "../run-root.ts";
import type { CheckContext } from "./context.ts";
import { checkFeatures } from "./features.ts";
import { checkFiles } from "./files.ts";
import { checkNetworks } from "./network.ts";
import { checkPassthrough } from "./passthrough.ts";
import { checkPrivileges } from "./privileges.ts";
import { checkPrograms } from "./programs.ts";

/**
 * Everything of this machine that would make a start fail, each with its fix. Writes nothing and starts nothing.
 * What needs only the host as a value is among the planner's rules instead.
 */
export async function preflight(system: System, plan: Plan, host: Host): Promise<Diagnostic[]> {
  const place = checkPlace(system, plan);
  if (place.some(({ code }) => code === "VM_RUNNING")) return place;
  let account: Account | undefined;
  const problems: Diagnostic[] = [];
  try {
    account = await foreignAccount(system, plan.run.user, { mayAsk: false });
  } catch (error) {
    const severity = hasDirectoryService(system) ? "warning" : "error";
    problems.push(
      ...diagnosticsOf(error, ["sandbox", "user"]).map((problem) => ({ ...problem, severity }) as const),
    );
  }
  const context: CheckContext = { system, plan, host, account };
  return [
    ...place,
    ...problems,
    ...checkPrograms(context),
    ...checkFeatures(context),
    ...checkFiles(context),
    ...checkNetworks(context),
    ...checkPassthrough(context),
    ...checkPrivileges(context),
  ];
}

/** The run directory, and whether the name is free. */
function checkPlace(system: System, plan: Plan): Diagnostic[] {
  try {
    const root = runRoot(system);
    const places = placesFor(root, plan.name);
    checkSocketPaths(runSockets(places, plan.run));
    checkOwnFolder(system, root);
    checkOwnFolder(system, places.directory);
    const reading = readRecord(system.files, places.directory);
    if (reading.kind !== "record") return [];
    const { record } = reading;
    // What a dead VM of the name left does not stand in the way: the start takes it away.
    if (record.phase !== "starting" && readLiveness(system.files, record).qemu) throw runsAlready(record);
    return [];
  } catch (error) {
    return diagnosticsOf(error, ["name"]);
  }
}

function diagnosticsOf(error: unknown, path: Diagnostic["path"]): Diagnostic[] {
  if (!(error instanceof QlaunchError)) throw error;
  return error.diagnostics.map((diagnostic) => ({ ...diagnostic, path }));
}

/** Accounts may be known to a service that only a program could ask. */
function hasDirectoryService(system: System): boolean {
  const sources = system.files.tryReadText("/etc/nsswitch.conf") ?? "";
  const services = /^passwd:(.*)$/m.exec(sources)?.[1]?.trim().split(/\s+/) ?? [];
  return services.some((service) => !["files", "compat", "systemd"].includes(service));
}
