import { mustShare } from "../../import/libvirt/index.ts";
import type { CpuOption, KeyedOption, MachineOption, NumaNodeOption, SmpOption } from "../../plan/options.ts";
import type { Plan } from "../../plan/types.ts";
import type { Disk, Profile } from "../../profile/index.ts";
import { formatIdSet } from "../../units/index.ts";
import { PlannedTree } from "./controllers.ts";
import { settledPassthrough, settledTree } from "./settled-tree.ts";

/**
 * The profile with everything written out that the plan decided: its own plan is the same, on this host and on every
 * other that has what it names.
 */
export function settle(profile: Profile, plan: Plan): Profile {
  const tree = new PlannedTree(plan);
  const { placement, options, run } = plan;
  const { pcie, iothreads: _, ...rest } = profile;
  return {
    ...rest,
    uuid: plan.uuid,
    machine: settledMachine(profile, plan),
    cpus: settledCpus(profile, plan),
    memory: settledMemory(profile, plan),
    numa: settledNuma(plan),
    pinning: settledPinning(profile, plan),
    iothreads: placement.iothreads.map(({ id }) => id),
    pcie: {
      tree: settledTree(tree),
      spareRootPorts: 0,
      mirror: false,
      mmio64: pcie.mmio64,
    },
    passthrough: settledPassthrough(profile, run.passthrough, tree),
    standIns: profile.standIns.map((each) => ({ ...each, bus: tree.busOf(each.id) })),
    disks: profile.disks.map((disk) => settledDisk(disk, plan, tree)),
    networks: profile.networks.map((network) => {
      const mac = tree.properties(network.id).mac;
      const netdev = options.find(
        (option) => option.option === "netdev" && option.id === `${network.id}-netdev`,
      );
      const vhost = netdev?.option === "netdev" && netdev.properties.vhost === true;
      return {
        ...network,
        bus: tree.busOf(network.id),
        mac: typeof mac === "string" ? mac : network.mac,
        ...(network.user ? {} : { vhost }),
      };
    }),
    filesystems: profile.filesystems.map((each) => ({
      ...each,
      tag: each.tag ?? each.id,
      bus: tree.busOf(each.id),
      ...(each.type === "virtiofs" ? { securityModel: "mapped-xattr" as const } : {}),
    })),
    rng: profile.rng && {
      source: profile.rng === true ? "/dev/urandom" : profile.rng.source,
      bus: tree.busOf("rng0"),
    },
    balloon: profile.balloon && {
      deflateOnOom: profile.balloon === true || profile.balloon.deflateOnOom,
      freePageReporting: profile.balloon !== true && profile.balloon.freePageReporting,
      bus: tree.busOf("balloon0"),
    },
    usb: profile.usb && { tablet: profile.usb !== true && profile.usb.tablet, bus: tree.busOf("usb0") },
    ...(profile.vsock ? { vsock: { ...profile.vsock, bus: tree.busOf("vsock0") } } : {}),
  };
}

interface Options {
  machine: MachineOption;
  cpu: CpuOption;
  smp: SmpOption;
  drive: KeyedOption;
  "numa-node": NumaNodeOption;
}

function find<Name extends keyof Options>({ options }: Plan, name: Name) {
  return options.find((option) => option.option === name) as Options[Name] | undefined;
}

function settledMachine({ machine }: Profile, plan: Plan): Profile["machine"] {
  const accel = find(plan, "machine")?.properties.accel === "kvm" ? "auto" : "tcg";
  if (machine.firmware === "seabios") return { ...machine, accel };
  const code = find(plan, "drive")?.properties.file;
  const vars = plan.run.copies[0]?.source;
  return {
    ...machine,
    accel,
    firmware: {
      ovmf: {
        ...machine.firmware.ovmf,
        ...(typeof code === "string" ? { code } : {}),
        ...(vars ? { vars } : {}),
      },
    },
  };
}

function settledCpus({ cpus }: Profile, plan: Plan): Profile["cpus"] {
  const smp = find(plan, "smp");
  const made = Object.entries(find(plan, "cpu")?.properties ?? {}).filter(
    ([name, value]) => typeof value === "boolean" && name !== "host-phys-bits",
  );
  return {
    ...cpus,
    max: plan.placement.vcpus.length > cpus.boot ? plan.placement.vcpus.length : undefined,
    features: { ...(Object.fromEntries(made) as Record<string, boolean>), ...cpus.features },
    ...(smp
      ? { topology: { sockets: smp.sockets, dies: smp.dies, cores: smp.cores, threads: smp.threads } }
      : {}),
  };
}

function settledMemory({ memory, filesystems }: Profile, plan: Plan): Profile["memory"] {
  const kinds = new Set(
    plan.options.flatMap((option) =>
      option.option === "object" && /^ram-(?!.*-memory$)/.test(option.id) ? option.qomType : [],
    ),
  );
  const isMemfd = kinds.size === 1 && kinds.has("memory-backend-memfd");
  const isShared = memory.share ?? filesystems.some(({ type }) => type === "virtiofs");
  return {
    ...memory,
    backend: isMemfd ? "memfd" : memory.backend,
    share: isShared ? true : undefined,
    pageSize: (memory.pageSize ?? 0) > 4096 ? memory.pageSize : undefined,
  };
}

function settledNuma(plan: Plan): Profile["numa"] {
  if (!find(plan, "numa-node")) return undefined;
  return {
    cells: plan.placement.cells.map(({ vcpus, memoryBytes, hostNodes, policy, distances }) => ({
      cpus: [...vcpus],
      memory: memoryBytes,
      ...(hostNodes === undefined ? {} : { hostNodes: [...hostNodes] }),
      ...(policy === undefined || policy === "bind" ? {} : { policy }),
      ...(distances === undefined ? {} : { distances: [...distances] }),
    })),
  };
}

/** The pins that the plan came to; each is the profile's own now. */
function settledPinning({ pinning }: Profile, { placement }: Plan): Profile["pinning"] {
  const bySet = new Map<string, { vcpus: number[]; hostCpus: number[] }>();
  for (const { id, hostCpus } of placement.vcpus) {
    if (hostCpus === undefined) continue;
    const key = formatIdSet(hostCpus);
    const group = bySet.get(key) ?? { vcpus: [], hostCpus: [...hostCpus] };
    group.vcpus.push(id);
    bySet.set(key, group);
  }
  const groups = [...bySet.values()];
  // Said of automatic pins, it is about hosts with too few CPUs; said of pins by hand, no vCPU has its CPU for itself.
  const isByHand = typeof pinning.vcpus === "object";
  const pins = placement.vcpus.flatMap(({ hostCpus }) => (hostCpus ? [hostCpus] : []));
  return {
    vcpus:
      groups.length === 0
        ? placement.cells.some(({ hostNodes }) => hostNodes)
          ? "none"
          : undefined
        : Object.fromEntries(groups.map(({ vcpus, hostCpus }) => [formatIdSet(vcpus), hostCpus])),
    granularity: "thread",
    threadPolicy: "prefer",
    reserve: [],
    overcommit: isByHand ? pinning.overcommit : mustShare(pins),
    emulator: placement.emulator && [...placement.emulator],
    iothreads: Object.fromEntries(
      placement.iothreads.flatMap(({ id, hostCpus }) => (hostCpus ? [[id, [...hostCpus]]] : [])),
    ),
  };
}

function settledDisk(disk: Disk, plan: Plan, tree: PlannedTree): Disk {
  const file = plan.options.find(
    (option) => option.option === "blockdev" && option.nodeName === `${disk.id}.file`,
  );
  const aio = file?.option === "blockdev" ? (file.properties.aio as Disk["aio"]) : disk.aio;
  const front = tree.properties(disk.id);
  const controller = controllerOf(disk, tree);
  const queues = front["num-queues"] ?? (controller && tree.properties(controller).num_queues);
  return {
    ...disk,
    aio,
    serial: typeof front.serial === "string" ? front.serial : undefined,
    queues: typeof queues === "number" ? queues : undefined,
    bus: tree.busOf(controller ?? disk.id),
    readOnly: disk.readOnly === true && disk.device !== "cdrom" ? true : undefined,
  };
}

/** The SCSI controller of a disk. */
export function controllerOf({ id, device }: Disk, tree: PlannedTree): string | undefined {
  const { bus } = tree.properties(id);
  return device === "virtio-scsi" && typeof bus === "string" ? bus.replace(/\.0$/, "") : undefined;
}
