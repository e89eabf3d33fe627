import { refusal } from "../errors/index.ts";
import {
  type Drift,
  findDrift,
  type LiveOptions,
  type SetVcpusOutcome,
  type Spread,
  setVcpus,
} from "../hotplug/index.ts";
import type { System } from "../system/index.ts";
import { parseIdSet } from "../units/index.ts";

export type { Drift, SetVcpusOutcome };

/** A wish for vCPUs as the command line has it. */
export interface VcpuRequest {
  readonly count: string | undefined;
  /** A list such as "0-3,8": all that the guest has afterwards. */
  readonly vcpus: string | undefined;
  readonly spread: Spread;
}

/** @throws QlaunchError USAGE, and those of `setVcpus` */
export async function changeVcpus(
  system: System,
  name: string,
  request: VcpuRequest,
  options: LiveOptions,
): Promise<SetVcpusOutcome> {
  const { spread } = request;
  const count = request.count === undefined ? undefined : parseCount(request.count);
  const vcpus = request.vcpus === undefined ? undefined : parseVcpus(request.vcpus);
  if (count === undefined && vcpus === undefined) {
    throw refusal("USAGE", {
      found: "neither a number of vCPUs nor --vcpu",
      needed: "one of them, or both in agreement",
      fix: `for example: qlaunch setvcpus ${name} 8`,
    });
  }
  return setVcpus(system, name, { count, vcpus, spread }, options);
}

/** What differs between a running VM and the plan that it was started from. @throws QlaunchError */
export function vmDrift(system: System, name: string): Promise<Drift[]> {
  return findDrift(system, name);
}

function parseCount(text: string): number {
  if (/^-?\d+$/.test(text)) return Number(text);
  throw refusal("USAGE", {
    found: `"${text}" is no number of vCPUs`,
    needed: "a whole number such as 8",
    fix: "write the number of vCPUs that the guest shall have",
  });
}

function parseVcpus(text: string) {
  const vcpus = parseIdSet(text);
  if (vcpus !== undefined && vcpus.length > 0) return vcpus;
  throw refusal("USAGE", {
    found: `"${text}" is no list of vCPUs`,
    needed: "numbers and ranges such as 0-3,8",
    fix: "name all vCPUs that the guest shall have",
  });
}
