import { renderArgv } from "../../src/argv/index.ts";
import { type Diagnostic, formatJsonPath } from "../../src/errors/index.ts";
import { exportDomain } from "../../src/export/index.ts";
import { type Plan, planVm } from "../../src/plan/index.ts";
import type { Profile } from "../../src/profile/index.ts";
import { placesFor } from "../../src/vm/index.ts";
import { goldenHost } from "../golden/cases.ts";
import { type Facts, factsOf } from "./facts.ts";

export interface Exported {
  readonly domain: string;
  readonly argv: readonly string[];
  /** "path: found; needed", one a warning. */
  readonly warnings: readonly string[];
}

/** A profile's plan on a recorded host, as a domain; undefined where it has no plan. */
export function exportOn(profile: Profile, hostName: string): Exported | undefined {
  const host = goldenHost(hostName);
  const plan = planOn(profile, hostName);
  if (!plan) return undefined;
  const { lines, warnings } = exportDomain(profile, plan, host);
  return { domain: lines.join("\n"), argv: renderArgv(plan), warnings: warnings.map(describeWarning) };
}

function planOn(profile: Profile, host: string): Plan | undefined {
  const places = placesFor("/run/qlaunch", profile.name);
  const result = planVm({ profile, host: goldenHost(host), ledger: [], places });
  return result.ok ? result.value : undefined;
}

function describeWarning({ path, found, needed }: Diagnostic): string {
  return `${formatJsonPath(path)}: ${found}; ${needed}`;
}

/**
 * The profile as libvirt can judge it on every machine: without KVM, and with images in the folder that is libvirt's
 * own here. More vCPUs than TCG can have stay KVM's: of their domain the type is changed.
 */
export function withoutKvm(profile: Profile, host: string): Profile {
  const { machine, cpus, ...rest } = JSON.parse(
    JSON.stringify(profile).replaceAll('"/vms/', '"/images/'),
  ) as Profile;
  const { model } = cpus;
  // Of the host's own processor the model and the width of addresses are known with KVM alone.
  const own = model === "host" ? { model: "max", physicalBits: 46 } : { model };
  const changed = { ...rest, machine: { ...machine, accel: "tcg" as const }, cpus: { ...cpus, ...own } };
  return planOn(changed, host) ? changed : { ...changed, machine };
}

/**
 * The profile as libvirt can start it here, where it finds no tap device, no bridge and none of the host's devices, and
 * may lock no memory. Only a domain with networks is started.
 */
export function startable(profile: Profile): Profile {
  if (profile.passthrough.devices.length > 0 || profile.memory.locked) return { ...profile, networks: [] };
  return {
    ...profile,
    networks: profile.networks.map(({ tap: _, bridge: __, bridgeHelper: ___, vhost: ____, ...network }) => ({
      ...network,
      queues: 1,
      user: network.user ?? { forward: [], restrict: false },
    })),
  };
}

/** A domain of a KVM guest, and one that is bound to nodes, for a machine that has no KVM and one node. */
export function here(domain: string): string {
  return domain
    .replace("<domain type='kvm'", "<domain type='qemu'")
    .replaceAll(/(?<=<memnode [^>]*nodeset=)'[^']*'/g, "'0'");
}

/** The plan's side as `here` leaves libvirt's, with I/O threads by libvirt's numbers. */
export function factsHere(argv: readonly string[], { iothreads }: Profile): Facts {
  const nameOf = (iothread: string) => `iothread${iothreads.indexOf(iothread) + 1}`;
  return new Map(
    [...factsOf(argv)].map(([fact, value]) => {
      const iothread = /^object iothread (.*)$/.exec(fact)?.[1];
      if (iothread !== undefined) return [`object iothread ${nameOf(iothread)}`, value];
      if (fact.endsWith(": iothread")) return [fact, nameOf(value)];
      return [fact, / host-nodes$/.test(fact) ? "0" : value];
    }),
  );
}
