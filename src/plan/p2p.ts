import type { Host, PciFunction } from "../host/topology.ts";
import { acsBits } from "../units/index.ts";
import { HostTree, type P2pRelation, type P2pWay } from "./p2p-way.ts";
import type { Plan } from "./types.ts";

/**
 * The way of requests from one device to the memory of another: below the switch, up to the IOMMU and down again, by a
 * way that nobody vouches for, or none.
 */
export type P2pRoute = "direct" | "root-complex" | "unproven" | "none";

/** Why a route is no better. */
export interface P2pReason {
  readonly code:
    | "no-ats"
    | "redirected"
    | "not-redirected"
    | "translation-blocked"
    | "config-closed"
    | "processor"
    | "between-root-complexes"
    | "no-memory"
    | "iommufd"
    | "beyond-iommu";
  /** The host's function that it is about; absent for the whole host. */
  readonly at?: string;
}

/** Two devices of the host, by their addresses. */
export interface P2pPair {
  readonly devices: readonly [string, string];
  readonly relation: P2pRelation;
  /** Of requests of the first to the second, and of the second to the first. */
  readonly routes: readonly [P2pRoute, P2pRoute];
  readonly reasons: readonly P2pReason[];
}

/** VFIO maps whole pages. */
const leastMappedBytes = 4096;

/** The pairs among the devices that a plan gives to its guest. */
export function planP2p({ options, run, windowEnd }: Plan, host: Host): P2pPair[] {
  const given = new Set(run.passthrough.flatMap(({ address, deviceId }) => (deviceId ? address : [])));
  const isIommufd = options.some((option) => option.option === "object" && option.qomType === "iommufd");
  return p2pPairs(
    (host.pci ?? []).filter(({ address }) => given.has(address)),
    { ...host, isIommufd, windowEnd },
  );
}

/** What decides whether devices reach each other's memory from within a guest. */
export interface P2pFacts extends Pick<Host, "pci" | "processor" | "nodes" | "iommu"> {
  /** Through iommufd, which maps no device memory before Linux 6.19 and QEMU 11. */
  readonly isIommufd: boolean;
  /** Where the guest's 64-bit BARs end; undefined where it is not known. */
  readonly windowEnd: number | undefined;
}

/**
 * Every pair of devices that a guest gets: how they lie to each other on the host, and which way the requests of one
 * to the memory of the other take, if they can. A guest's addresses mean nothing to a switch, so that a request has
 * to be translated first: by the IOMMU, above the switch, or beforehand for a device with ATS.
 *
 * @see https://docs.kernel.org/driver-api/pci/p2pdma.html
 */
export function p2pPairs(functions: readonly PciFunction[], facts: P2pFacts): P2pPair[] {
  const { pci = [] } = facts;
  const tree = new HostTree(pci, facts.nodes.length);
  const isOpen = pci.some((fn) => fn.acs !== undefined || fn.ats !== undefined);
  const obstacles = new Map(functions.map((fn) => [fn.address, obstacleTo(fn, facts)]));
  return functions.flatMap((first, index) =>
    functions.slice(index + 1).map((second): P2pPair => {
      const way = tree.wayBetween(first, second);
      const [port, otherPort] = way.ports ?? [];
      const there = routeFrom(first, obstacles.get(second.address), { way, port, isOpen, facts });
      const back = routeFrom(second, obstacles.get(first.address), { way, port: otherPort, isOpen, facts });
      return {
        devices: [first.address, second.address],
        relation: way.relation,
        routes: [there.route, back.route],
        reasons: there === back ? there.reasons : [...there.reasons, ...back.reasons].filter(isFirst),
      };
    }),
  );
}

/** Both reach the memory of the other, by a way that is known to work. */
export function isCapable({ routes }: P2pPair): boolean {
  return routes.every((route) => route === "direct" || route === "root-complex");
}

interface Asked {
  readonly way: P2pWay;
  readonly port: PciFunction | undefined;
  /** Config space could be read, so that what has no ACS or ATS in the facts has none. */
  readonly isOpen: boolean;
  readonly facts: P2pFacts;
}

interface Answer {
  readonly route: P2pRoute;
  readonly reasons: readonly P2pReason[];
}

/** The same for most pairs of a large host. */
const betweenRootComplexes: Answer = { route: "unproven", reasons: [{ code: "between-root-complexes" }] };

function routeFrom(from: PciFunction, obstacle: P2pReason | undefined, asked: Asked): Answer {
  if (obstacle !== undefined) return { route: "none", reasons: [obstacle] };
  const { way, port, isOpen, facts } = asked;
  if (way.relation === "node" || way.relation === "across") {
    return betweenRootComplexes;
  }
  const reasons = way.relation === "switch" && isOpen ? notDirect(from, port) : unknownConfig(asked);
  if (reasons.length === 0 && way.relation === "switch") return { route: "direct", reasons };
  if (!sendsOn(facts.processor)) return { route: "unproven", reasons: [...reasons, { code: "processor" }] };
  return { route: "root-complex", reasons };
}

function unknownConfig({ way, isOpen }: Asked): P2pReason[] {
  return way.relation === "switch" && !isOpen ? [{ code: "config-closed" }] : [];
}

/** Why requests do not stay below the switch. */
function notDirect({ address, ats }: PciFunction, port: PciFunction | undefined): P2pReason[] {
  const control = port?.acs?.control ?? 0;
  const at = port === undefined ? {} : { at: port.address };
  const redirects = (control & acsBits.ReqRedir) !== 0;
  return [
    ...(ats === true ? [] : [{ code: "no-ats", at: address } as const]),
    ...((control & acsBits.TransBlk) === 0 ? [] : [{ code: "translation-blocked", ...at } as const]),
    ...(redirects && (control & acsBits.DirectTrans) === 0 ? [{ code: "redirected", ...at } as const] : []),
    ...(redirects ? [] : [{ code: "not-redirected", ...at } as const]).filter(() => ats !== true),
  ];
}

/** Why nothing can be reached in its memory. */
function obstacleTo({ address, bars }: PciFunction, facts: P2pFacts): P2pReason | undefined {
  const memory = bars.filter(({ kind, sizeBytes }) => kind !== "io" && sizeBytes >= leastMappedBytes);
  // Where no BARs are known at all, nothing speaks against it.
  if (bars.length > 0 && memory.length === 0) return { code: "no-memory", at: address };
  if (facts.isIommufd) return { code: "iommufd" };
  const width = facts.iommu?.addressBits;
  const isBeyond = width !== undefined && facts.windowEnd !== undefined && facts.windowEnd > 2 ** width;
  const isHigh = memory.some(({ kind, prefetchable }) => kind === "mem64" && prefetchable);
  return isBeyond && isHigh ? { code: "beyond-iommu", at: address } : undefined;
}

/**
 * Whether the processor hands requests from one of its ports to another: Linux knows it of AMD's since Zen and of
 * Intel's Xeons.
 * @see https://github.com/torvalds/linux/blob/master/drivers/pci/p2pdma.c (pci_p2pdma_whitelist)
 */
function sendsOn({ vendor, model }: Host["processor"]): boolean {
  return vendor === "AuthenticAMD" ? /EPYC|Ryzen|Threadripper/.test(model) : /Xeon/.test(model);
}

function isFirst(reason: P2pReason, index: number, all: readonly P2pReason[]): boolean {
  return all.findIndex(({ code, at }) => code === reason.code && at === reason.at) === index;
}
