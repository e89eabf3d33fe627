import { readFileSync } from "node:fs";
import { renderArgv } from "../../src/argv/index.ts";
import { type Diagnostic, formatJsonPath } from "../../src/errors/index.ts";
import { readSnapshot } from "../../src/host/elsewhere.ts";
import type { Host, Ledger } from "../../src/host/index.ts";
import { type Plan, planVm } from "../../src/plan/index.ts";
import type { AnnotatedDevice } from "../../src/profile/index.ts";
import { profileSchema } from "../../src/profile/schema.ts";

/** A recorded host, by its name in test/hosts. */
export function recordedHost(name: string): Host {
  const known = hosts.get(name);
  if (known) return known;
  const result = readSnapshot(readFileSync(new URL(`../hosts/${name}.json`, import.meta.url), "utf8"));
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  hosts.set(name, result.value);
  return result.value;
}
const hosts = new Map<string, Host>();

/** Where a VM's files would be. */
export const places = {
  directory: "/run/qlaunch/vm",
  qemuDirectory: "/run/qlaunch/vm/qemu",
  pidFile: "/run/qlaunch/vm/qemu/qemu.pid",
  logFile: "/run/qlaunch/vm/qemu.log",
  qmpSocket: "/run/qlaunch/vm/qemu/qmp.sock",
  monitorSocket: "/run/qlaunch/vm/qemu/monitor.sock",
};

/** What a test says of its world. */
export interface World {
  /** A recorded host by name, or one of the test's own. Default laptop. */
  readonly host?: string | Host;
  readonly ledger?: Ledger;
  /** What CDI files say. */
  readonly annotated?: readonly AnnotatedDevice[];
}

/** Plans a small guest (2 vCPUs, 1 GiB, KVM) with these changes to its profile. */
export function tryPlan(changes: object = {}, { host = "laptop", ledger = [], annotated = [] }: World = {}) {
  const profile = profileSchema.parse({
    version: 1,
    name: "vm",
    machine: { accel: "kvm" },
    cpus: { boot: 2 },
    memory: { size: "1G" },
    ...changes,
  });
  const known = typeof host === "string" ? recordedHost(host) : host;
  return planVm({ profile, host: known, ledger, places, annotated });
}

/** The plan of a profile that has one. */
export function plan(changes?: object, world?: World): Plan {
  const result = tryPlan(changes, world);
  if (!result.ok) throw new Error(result.diagnostics.map(describeProblem).join("\n"));
  return result.value;
}

/** What the planner says of a profile, errors and warnings: "CODE path: found; needed". */
export function problems(changes?: object, world?: World): string[] {
  const result = tryPlan(changes, world);
  return (result.ok ? result.warnings : result.diagnostics).map(describeProblem);
}

export function describeProblem({ code, severity, path, found, needed }: Diagnostic): string {
  return `${severity === "warning" ? "(warning) " : ""}${code} ${formatJsonPath(path)}: ${found}; ${needed}`;
}

/** The values of one switch of the command line, such as "device". */
export function values(planned: Plan, name: string): string[] {
  const argv = renderArgv(planned);
  return argv.flatMap((word, index) => (word === `-${name}` ? [argv[index + 1] ?? ""] : []));
}

/** Every -device, or the one of an id. */
export function device(planned: Plan, id: string): string | undefined {
  return values(planned, "device").find((value) => value.split(",").includes(`id=${id}`));
}
