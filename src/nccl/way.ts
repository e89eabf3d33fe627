import { type Link, ncclGBs } from "./link.ts";

/** What is between a device and its host bridge. */
export interface Way {
  /** The host bridge that it is below. */
  readonly hostBridge: string;
  /** NUMA node or cell; undefined where the kernel knows none. */
  readonly node: number | undefined;
  /** Functions of one device share it. */
  readonly slot: string;
  /** Switches, and bridges to conventional PCI, by their ids: the nearest first. */
  readonly switches: readonly SwitchOnWay[];
  /** Of the device with what it hangs on; undefined where it is not known. */
  readonly link: Link | undefined;
}

export interface SwitchOnWay {
  readonly id: string;
  /** Of its upstream port with the port above. */
  readonly link: Link | undefined;
}

/**
 * How nvidia-smi tells of two devices: at most one switch between them, several, their host bridge, several host
 * bridges of one node, or the way between nodes.
 * @see https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceEnumvs.html (nvmlGpuTopologyLevel_t)
 */
export type TopoWord = "PIX" | "PXB" | "PHB" | "NODE" | "SYS";

export function topoWord(one: Way, other: Way): TopoWord {
  if (one.hostBridge === other.hostBridge) return withinBridge(one, other);
  return one.node !== undefined && one.node === other.node ? "NODE" : "SYS";
}

/**
 * The same for NCCL, which sees nodes and no host bridges.
 * @see https://github.com/NVIDIA/nccl/blob/master/src/graph/paths.cc (ncclTopoSetPaths)
 */
export function ncclWord(one: Way, other: Way): Exclude<TopoWord, "NODE"> {
  if (one.hostBridge === other.hostBridge) return withinBridge(one, other);
  return one.node === other.node ? "PHB" : "SYS";
}

function withinBridge(one: Way, other: Way): "PIX" | "PXB" | "PHB" {
  if (one.slot === other.slot) return "PIX";
  const ids = other.switches.map(({ id }) => id);
  const shared = one.switches.findIndex(({ id }) => ids.includes(id));
  const common = one.switches[shared];
  if (common === undefined) return "PHB";
  return shared + ids.indexOf(common.id) === 0 ? "PIX" : "PXB";
}

/** The narrowest place up to the processor, as NCCL counts it; undefined where a link is not known. */
export function narrowestGBs({ link, switches }: Way): number | undefined {
  const links = [link, ...switches.map((each) => each.link)].filter((each) => each !== undefined);
  return links.length === switches.length + 1 ? Math.min(...links.map(ncclGBs)) : undefined;
}
