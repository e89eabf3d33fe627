import type { Host, PciFunction } from "../host/topology.ts";
import { mirrorTree } from "../plan/pcie-mirror.ts";
import type { Plan } from "../plan/types.ts";
import { describeByteSize } from "../units/index.ts";
import { innerMemoryBytes, nodesOfCell, type Scale, type ScaledNode, simulatedNode } from "./scale.ts";
import { standInFor } from "./stand-in.ts";

/** What the simulated host boots from. */
export interface HostImages {
  readonly kernel: string;
  readonly initrd: string;
}

/** The simulated host as a profile, and what was made smaller or left out. */
export interface SimulatedHost {
  readonly profile: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
}

export const simulatedHostName = "simulated-host";
/** Ports by which it gets its work and tells of it. */
export const jobPort = "org.qlaunch.lab.job";
export const outputPort = "org.qlaunch.lab.output";

const MiB = 2 ** 20;
/** What a node of the simulated host needs for itself: its system, this program and QEMU. */
const ownBytes = 1280 * MiB;
/** QEMU's ports know links up to this speed in every version, in GT/s. */
const fastestLink = 16;

const cmdline = "console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off nowatchdog numa_balancing=disable";

/**
 * A profile of a host with the nodes of the real one that matter, the part of its PCIe tree that the passed-through
 * devices hang on, and stand-ins for these. Its root file system is this machine's, read-only; its KVM works.
 */
export function simulateHost(host: Host, plan: Plan, scale: Scale, images: HostImages): SimulatedHost {
  const { nodes, threads } = scale;
  const withCpus = nodes.filter(({ cpus }) => cpus > 0);
  const vcpus = withCpus.reduce((sum, { cpus }) => sum + cpus, 0);
  const bytes = nodes.map((node) => ownBytes + guestBytes(plan, scale, node));
  const memoryBytes = bytes.reduce((sum, size) => sum + size, 0);
  const devices = passedFunctions(host, plan);
  const profile = {
    version: 1,
    name: simulatedHostName,
    description: "A host made for a rehearsal.",
    machine: {
      accel: "tcg",
      ...(devices.length > 0 ? { viommu: { interruptRemapping: true, cachingMode: true } } : {}),
    },
    cpus: {
      boot: vcpus,
      model: "EPYC",
      features: { svm: true, npt: true },
      topology: { sockets: withCpus.length, cores: (withCpus[0]?.cpus ?? 1) / threads, threads },
      hotpluggable: false,
    },
    memory: { size: memoryBytes },
    numa: { cells: cellsOf(host, nodes, bytes) },
    ...passedTree(host, plan, scale, devices),
    filesystems: [
      { id: "root", type: "9p", path: "/", tag: "hostroot", readOnly: true, securityModel: "none" },
    ],
    consoles: [
      { type: "serial" },
      { type: "channel", id: "job", name: jobPort },
      { type: "channel", id: "output", name: outputPort },
    ],
    guestAgent: false,
    kernel: {
      image: images.kernel,
      initrd: images.initrd,
      cmdline: devices.length > 0 ? `${cmdline} intel_iommu=on iommu=nopt` : cmdline,
    },
  };
  return { profile, notes: notesOf(host, scale, vcpus, memoryBytes, devices.length) };
}

/** The functions that the guest gets, as the host has them. */
function passedFunctions(host: Host, { run }: Plan): { readonly id: string; readonly fn: PciFunction }[] {
  return run.passthrough.flatMap(({ address, deviceId }) => {
    const fn = host.pci?.find((each) => each.address === address);
    return fn === undefined || deviceId === undefined ? [] : [{ id: deviceId, fn }];
  });
}

/** Memory that the guest's cells have on a node; one that is bound to several takes its room on each. */
function guestBytes({ placement: { cells } }: Plan, scale: Scale, node: ScaledNode): number {
  return cells
    .filter((cell) => nodesOfCell(scale, cell).includes(node))
    .reduce((sum, cell) => sum + innerMemoryBytes(cells, cell), 0);
}

/** Vcpus of a node follow each other, so that a node is a socket. */
function cellsOf(host: Host, nodes: readonly ScaledNode[], bytes: readonly number[]): object[] {
  let next = 0;
  return nodes.map(({ cpus, simulated }) => {
    const first = next;
    next += cpus;
    return {
      cpus: cpus === 0 ? "" : `${first}-${next - 1}`,
      memory: bytes[simulated],
      ...(nodes.length > 1
        ? { distances: nodes.map((other) => distance(host, nodes, simulated, other)) }
        : {}),
    };
  });
}

const ownDistance = 10;

/** As the host has it; firmware tables of guests know no other node as near as the own one. */
function distance(host: Host, nodes: readonly ScaledNode[], from: number, to: ScaledNode): number {
  if (to.simulated === from) return ownDistance;
  const row = host.nodes.find(({ id }) => id === nodes[from]?.host)?.distances ?? [];
  const column = host.nodes.findIndex(({ id }) => id === to.host);
  return Math.max(ownDistance + 1, row[column] ?? 2 * ownDistance);
}

function passedTree(
  host: Host,
  plan: Plan,
  scale: Scale,
  devices: readonly { readonly id: string; readonly fn: PciFunction }[],
): object {
  if (devices.length === 0) return { pcie: { spareRootPorts: 0 } };
  const taken = new Set(plan.devices.map(({ id }) => id));
  const addresses = devices.map(({ fn }) => fn.address);
  const { tree, placeOf } = mirrorTree(host.pci ?? [], addresses, (node) => simulatedNode(scale, node), {
    expanders: "root-complex",
    fastestLink,
    taken,
  });
  return {
    pcie: { tree, spareRootPorts: 0 },
    standIns: devices.map(({ id, fn }) => ({
      id,
      device: standInFor(fn),
      ...placeOf.get(fn.address),
    })),
  };
}

function notesOf(host: Host, scale: Scale, vcpus: number, memoryBytes: number, devices: number): string[] {
  const hostBytes = host.nodes.reduce((sum, node) => sum + node.memoryBytes, 0);
  const online = host.cpus.filter((cpu) => cpu.online).length;
  const left = host.nodes.length - scale.nodes.length;
  return [
    `simulated host: ${online} CPUs -> ${vcpus}, ${describeByteSize(hostBytes)} -> ${describeByteSize(memoryBytes)}`,
    ...(left > 0
      ? [`simulated host: ${scale.nodes.length} of ${host.nodes.length} nodes, those that the guest is on`]
      : []),
    ...(devices > 0 ? [`simulated host: stand-ins for ${devices} devices, below the same ports`] : []),
  ];
}
