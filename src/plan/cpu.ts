import { formatIdSet } from "../units/index.ts";
import { planSiblingFeatures } from "./cpu-siblings.ts";
import type { Draft } from "./draft.ts";
import type { Accelerator } from "./machine.ts";
import { spreadBalanced } from "./vcpu-spread.ts";

export interface CpuTopology {
  readonly sockets: number;
  readonly dies: number;
  readonly cores: number;
  readonly threads: number;
}

/** A vCPU's place in the guest's processor topology. `id` is QEMU's cpu-index. */
export interface GuestCpu {
  readonly id: number;
  readonly socket: number;
  readonly die: number;
  readonly core: number;
  readonly thread: number;
}

/** The processors as the profile wants them, before they are placed. */
export interface CpuPlan {
  readonly max: number;
  readonly topology: CpuTopology;
  readonly guestCpus: readonly GuestCpu[];
}

/** Counts and topology; known before the cells are, which refer to these vCPUs. */
export function planCpuTopology(draft: Draft): CpuPlan {
  const { cpus } = draft.profile;
  const max = cpus.max ?? cpus.boot;
  if (cpus.boot > max) {
    draft.refuse("CPU_BOOT_ABOVE_MAX", ["cpus", "boot"], {
      found: `${cpus.boot} vCPUs at boot, ${max} at most`,
      needed: "boot no higher than max",
      fix: `write a max of ${cpus.boot} or more, or a boot of ${max} or less`,
    });
  }
  const populated = draft.cells?.filter((cell) => cell.cpus.length > 0).length ?? 0;
  const topology = cpus.topology ?? draft.made?.topology ?? defaultTopology(max, Math.max(1, populated));
  const product = topology.sockets * topology.dies * topology.cores * topology.threads;
  if (product !== max) {
    draft.refuse("CPU_TOPOLOGY", ["cpus", "topology"], {
      found: `${topology.sockets} sockets x ${topology.dies} dies x ${topology.cores} cores x ${topology.threads} threads = ${product} vCPUs`,
      needed: `${max}, as cpus.${cpus.max === undefined ? "boot" : "max"} says`,
      fix: "change the counts so that their product is the number of vCPUs, or leave topology out",
    });
  }
  draft.decide("cpu", "cpu.topology", {
    value: `${topology.sockets} sockets x ${topology.dies} dies x ${topology.cores} cores x ${topology.threads} threads`,
    rule: cpus.topology
      ? "The profile's topology, whose product is the largest number of vCPUs."
      : draft.made
        ? "Without a topology in the profile: what the partition's cells ask for."
        : "Without a topology in the profile: a socket for each cell with vCPUs where that divides, and one thread a core.",
    facts: [`${cpus.boot} vCPUs at boot, ${max} at most`],
    source: "invocation",
  });
  return { max, topology, guestCpus: guestCpus(max, topology) };
}

/** -cpu, -smp, and a device for each vCPU that the guest starts with. */
export function planCpu(
  draft: Draft,
  plan: CpuPlan,
  cells: readonly { readonly vcpus: readonly number[] }[],
  accelerator: Accelerator,
): { boot: ReadonlySet<number>; deviceIds: ReadonlyMap<number, string> } {
  const { cpus } = draft.profile;
  checkModel(draft, accelerator);
  const model = draft.decide("cpu", "cpu.model", {
    value: cpus.model,
    rule: "host and max show the guest what the accelerator can do; a named model keeps it the same on other hosts.",
    facts: [`accelerator ${accelerator}`],
    source: "cpuModels",
  });
  const siblings = planSiblingFeatures(draft, accelerator, plan.topology);
  const hostBits = cpus.physicalBits === "host";
  draft.add({
    option: "cpu",
    model: cpus.model,
    properties: {
      ...siblings.properties,
      ...cpus.features,
      "host-phys-bits": hostBits ? true : undefined,
      "phys-bits": typeof cpus.physicalBits === "number" ? cpus.physicalBits : undefined,
    },
    because: [model, ...siblings.because],
  });

  const count = Math.min(cpus.boot, plan.max);
  const boot = cpus.hotpluggable
    ? spreadBalanced(
        cells.map((cell) => ({ cores: coresOf(cell.vcpus, plan.guestCpus) })),
        count,
      )
    : plan.guestCpus.slice(0, count).map((cpu) => cpu.id);
  const bootDecision = draft.decide("cpu", "cpu.boot", {
    value: formatIdSet(boot),
    rule: cpus.hotpluggable
      ? "-smp makes vCPU 0 alone; every other one is a device with an id, so that it can be removed. Of fewer than the maximum, cells stay level and threads of a core together."
      : "The vCPUs are not to be removed: -smp makes the first ones itself.",
    facts: [`${count} of ${plan.max} at boot`],
    source: "cpuHotplug",
  });
  draft.add({
    option: "smp",
    cpus: cpus.hotpluggable ? 1 : count,
    maxcpus: plan.max,
    ...plan.topology,
    because: ["cpu.topology", bootDecision],
  });

  const deviceIds = new Map<number, string>();
  if (cpus.hotpluggable) {
    // Those that are added later have their names already.
    for (let id = 1; id < plan.max; id++) draft.claimId("device", `cpu${id}`, ["cpus", "hotpluggable"]);
    for (const id of boot.slice(1)) {
      const cpu = plan.guestCpus[id];
      if (!cpu) continue;
      deviceIds.set(id, `cpu${id}`);
      draft.add({ ...vcpuDevice(cpus.model, cpu), because: [bootDecision, "cpu.topology"] });
    }
  }
  return { boot: new Set(boot), deviceIds };
}

/** The device that is a vCPU, at the start as in hot-plug. */
export function vcpuDevice(model: string, cpu: GuestCpu) {
  return {
    option: "device",
    driver: `${model}-x86_64-cpu`,
    id: `cpu${cpu.id}`,
    properties: {
      "socket-id": cpu.socket,
      "die-id": cpu.die,
      "core-id": cpu.core,
      "thread-id": cpu.thread,
    },
  } as const;
}

function checkModel(draft: Draft, accelerator: Accelerator): void {
  const { model, features } = draft.profile.cpus;
  const path = ["cpus", "model"];
  if (model === "host" && accelerator === "tcg") {
    draft.refuse("HOST_KVM", path, {
      found: 'CPU model "host" with TCG',
      needed: "KVM, which alone can pass the host's processor through",
      fix: 'write "max", which is the same under KVM and works under TCG',
    });
  }
  const known = draft.host.qemu?.cpuModels;
  if (known && known.length > 0 && !["host", "max", ...known].includes(model)) {
    draft.refuse("QEMU_FEATURE", path, {
      found: `this QEMU has no CPU model "${model}"`,
      needed: "host, max, or one of QEMU's models",
      fix: "see `qemu-system-x86_64 -cpu help`",
    });
  }
  for (const [name, value] of Object.entries(features)) {
    if (typeof value !== "string" || !value.includes(",")) continue;
    draft.refuse("ARGV_BYTE", ["cpus", "features", name], {
      found: `a comma in "${value}"`,
      needed: "text without commas: -cpu alone of QEMU's options cannot carry one",
      fix: "take the comma out",
    });
  }
  if (features.kvm === false && features.hypervisor === true) {
    draft.refuse("CPU_HIDDEN_HYPERVISOR", ["cpus", "features"], {
      found: "kvm off together with hypervisor on",
      needed: "features that do not contradict each other",
      fix: "leave one of them out",
    });
  }
}

/** A socket for each cell where the vCPUs divide evenly. */
function defaultTopology(max: number, cells: number): CpuTopology {
  const sockets = max % cells === 0 ? cells : 1;
  return { sockets, dies: 1, cores: max / sockets, threads: 1 };
}

/** cpu-index counts threads first, then cores, dies and sockets. */
function guestCpus(max: number, { dies, cores, threads }: CpuTopology): GuestCpu[] {
  return Array.from({ length: max }, (_, id) => ({
    id,
    thread: id % threads,
    core: Math.floor(id / threads) % cores,
    die: Math.floor(id / (threads * cores)) % dies,
    socket: Math.floor(id / (threads * cores * dies)),
  }));
}

/** A cell's vCPUs by guest core. */
export function coresOf(vcpus: readonly number[], cpus: readonly GuestCpu[]): number[][] {
  const cores = new Map<string, number[]>();
  for (const id of vcpus) {
    const cpu = cpus[id];
    if (!cpu) continue;
    const key = `${cpu.socket}/${cpu.die}/${cpu.core}`;
    const core = cores.get(key);
    if (core) core.push(id);
    else cores.set(key, [id]);
  }
  return [...cores.values()];
}
