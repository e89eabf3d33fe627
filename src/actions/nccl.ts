import { type Diagnostic, refusal } from "../errors/index.ts";
import { type Host, readPci } from "../host/index.ts";
import { type NcclPrediction, ncclDevices, predictNccl, topoFile } from "../nccl/index.ts";
import type { Plan } from "../plan/index.ts";
import type { System } from "../system/index.ts";
import { findVm, readPlan } from "../vm/index.ts";
import { findHost, type HostChoice } from "./host.ts";
import { vmNames } from "./names.ts";
import { planProfile } from "./plan.ts";
import { writeForUser } from "./write-file.ts";

export interface NcclRequest extends HostChoice {
  /** The name of a VM that has been started, or the file of a profile. */
  readonly of: string;
  /** Where NCCL's topology file shall be written. Default: nowhere. */
  readonly topoFile?: string | undefined;
  /** Write over what is there. Default false. */
  readonly force?: boolean;
}

export interface NcclOutcome extends NcclPrediction {
  /** Of the planning. */
  readonly warnings: readonly Diagnostic[];
}

/**
 * What nvidia-smi and NCCL will say in a guest of the host's GPUs and NICs that it gets, beside what they say on the
 * host. Writes nothing but the file that is asked for.
 * @throws QlaunchError as planning does; USAGE for a topology file of nothing; HOST_FILE_MISSING when it cannot be written
 */
export async function predictTopology(system: System, request: NcclRequest): Promise<NcclOutcome> {
  const { plan, host, warnings } = await planOf(system, request);
  const devices = ncclDevices(plan, host);
  if (request.topoFile !== undefined) {
    if (devices.length === 0) throw nothingToWrite(request.of);
    writeForUser(system, request.topoFile, topoFile(devices, plan), request.force === true);
  }
  return { ...predictNccl(devices), warnings };
}

interface PlannedTopology {
  readonly plan: Plan;
  readonly host: Pick<Host, "pci">;
  readonly warnings: readonly Diagnostic[];
}

async function planOf(system: System, request: NcclRequest): Promise<PlannedTopology> {
  if (!vmNames(system).includes(request.of)) {
    return planProfile(system, { ...request, profileFile: request.of, mayStart: false });
  }
  const plan = readPlan(system, findVm(system, request.of));
  const { snapshot } = request;
  if (snapshot === undefined) return { plan, host: { pci: readPci(system.files).pci }, warnings: [] };
  const question = { kvm: false, firmware: false, pci: true, requireQemu: false, mayStart: false };
  return { plan, host: await findHost(system, { ...question, snapshot }), warnings: [] };
}

function nothingToWrite(of: string) {
  return refusal("USAGE", {
    found: `--topo-file, and ${of} gives no GPU or NIC of the host to its guest`,
    needed: "GPUs or NICs in passthrough",
    fix: "leave --topo-file out: NCCL finds what QEMU emulates by itself",
  });
}
