import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PciFunction } from "../../src/host/index.ts";
import { isCapable, type P2pFacts, type P2pPair, p2pPairs, planP2p } from "../../src/plan/p2p.ts";
import { anyPciTree, hostWith, pciBridge, pciFunction } from "./host-pci.ts";
import { plan, recordedHost } from "./planning.ts";

const xeon = { vendor: "GenuineIntel", model: "Intel(R) Xeon(R) Platinum 8468", physicalAddressBits: 52 };
const bars = [{ index: 0, sizeBytes: 2 ** 36, kind: "mem64", prefetchable: true }] as const;
const port = (address: string, more: Partial<PciFunction> = {}) =>
  pciBridge(address, { rootBus: "0000:17", ...more });

/** A GPU and a NIC below a switch, another GPU below a switch behind it, a disk at a port of its own. */
const redirecting = { capability: 0x5f, control: 0x1d };
const root = { rootBus: "0000:17", bars };
const gpu = pciFunction("0000:1a:00.0", { ...root, parent: "0000:19:00.0" });
const nic = pciFunction("0000:1b:00.0", { ...root, parent: "0000:19:01.0", class: "020700", vendor: "15b3" });
const far = pciFunction("0000:1e:00.0", { ...root, parent: "0000:1d:00.0" });
const disk = pciFunction("0000:20:00.0", { ...root, parent: "0000:17:02.0", class: "010802" });
const ports = [
  port("0000:17:01.0"),
  port("0000:17:02.0"),
  port("0000:18:00.0", { parent: "0000:17:01.0", kind: "upstream-port" }),
  port("0000:19:00.0", { parent: "0000:18:00.0", kind: "downstream-port", acs: redirecting }),
  port("0000:19:01.0", { parent: "0000:18:00.0", kind: "downstream-port", acs: redirecting }),
  port("0000:19:02.0", { parent: "0000:18:00.0", kind: "downstream-port", acs: redirecting }),
  port("0000:1c:00.0", { parent: "0000:19:02.0", kind: "upstream-port" }),
  port("0000:1d:00.0", { parent: "0000:1c:00.0", kind: "downstream-port" }),
];

/** The pair of two functions, on a host with these changes to the ports. */
function pair(
  functions: readonly [PciFunction, PciFunction],
  { acs, ...facts }: Partial<P2pFacts> & { acs?: Record<string, number | undefined> } = {},
): P2pPair {
  const pci = ports.map(({ acs: before, ...rest }): PciFunction => {
    const changed = acs !== undefined && rest.address in acs;
    const control = acs?.[rest.address];
    const now = !changed ? before : control === undefined ? undefined : { capability: 0x5f, control };
    return now === undefined ? rest : { ...rest, acs: now };
  });
  const [found] = p2pPairs(functions, {
    pci: [...pci, ...functions],
    processor: xeon,
    nodes: recordedHost("hgx-h200").nodes,
    isIommufd: false,
    windowEnd: undefined,
    ...facts,
  });
  if (!found) throw new Error("no pair");
  return found;
}
const routes = (...given: Parameters<typeof pair>) => pair(...given).routes.join(" ");
const reasons = (...given: Parameters<typeof pair>) =>
  pair(...given).reasons.map(({ code, at }) => [code, ...(at === undefined ? [] : [at])].join(" "));

describe("the relation of two devices", () => {
  const relation = (first: PciFunction, second: PciFunction) => pair([first, second]).relation;

  it("is the closest place that both are below", () => {
    expect(relation(gpu, { ...gpu, address: "0000:1a:00.1" })).toBe("device");
    expect(relation(gpu, nic)).toBe("switch");
    expect(relation(far, nic)).toBe("switch");
    expect(relation(gpu, disk)).toBe("root-complex");
  });

  it("is the node's below different root complexes", () => {
    const elsewhere = pciFunction("0000:40:00.0", { rootBus: "0000:37", bars });
    expect(relation(gpu, elsewhere)).toBe("node");
    expect(relation(gpu, { ...elsewhere, node: 1 })).toBe("across");
    expect(relation({ ...gpu, node: -1 }, { ...elsewhere, node: -1 })).toBe("across");
    const [node] = recordedHost("hgx-h200").nodes;
    const alone = { nodes: node === undefined ? [] : [node] };
    expect(pair([{ ...gpu, node: -1 }, elsewhere], alone).relation).toBe("node");
  });

  it("is the same from both sides, on any host", () =>
    fc.assert(
      fc.property(anyPciTree, ({ pci, endpoints }) => {
        const functions = pci.filter(({ address }) => endpoints.includes(address));
        const facts = { ...hostWith(pci), isIommufd: false, windowEnd: undefined };
        const there = p2pPairs(functions, facts);
        const back = p2pPairs([...functions].reverse(), facts);
        expect(there).toHaveLength((functions.length * (functions.length - 1)) / 2);
        const turned = new Map(back.map((each) => [each.devices.join(), each]));
        for (const { devices, relation: seen, routes: ways } of there) {
          const other = turned.get([...devices].reverse().join());
          expect([seen, ...ways]).toEqual([other?.relation, ...[...(other?.routes ?? [])].reverse()]);
        }
      }),
      { numRuns: 60 },
    ));
});

describe("the way of requests below one switch", () => {
  it("is up to the IOMMU and down again, since a guest's addresses mean nothing to the switch", () => {
    expect(routes([gpu, nic])).toBe("root-complex root-complex");
    expect(reasons([gpu, nic])).toEqual([
      "no-ats 0000:1a:00.0",
      "redirected 0000:19:00.0",
      "no-ats 0000:1b:00.0",
      "redirected 0000:19:01.0",
    ]);
  });

  it("is direct for a device with ATS whose port lets translated requests through", () => {
    const able = { ...nic, ats: true };
    expect(routes([gpu, able])).toBe("root-complex root-complex");
    expect(routes([gpu, able], { acs: { "0000:19:01.0": 0x5d } })).toBe("root-complex direct");
    expect(routes([gpu, { ...nic, ats: false }], { acs: { "0000:19:01.0": 0x5d } })).toBe(
      "root-complex root-complex",
    );
    expect(routes([gpu, able], { acs: { "0000:19:01.0": 0x5f } })).toBe("root-complex root-complex");
    expect(reasons([gpu, able], { acs: { "0000:19:01.0": 0x5f } })).toContain(
      "translation-blocked 0000:19:01.0",
    );
  });

  it("is decided by the port below the common switch, not by those further down", () => {
    const able = { ...far, ats: true };
    expect(routes([able, nic], { acs: { "0000:1d:00.0": 0x5d } })).toBe("root-complex root-complex");
    expect(routes([able, nic], { acs: { "0000:19:02.0": 0x5d } })).toBe("direct root-complex");
  });

  it("goes through a port that does not redirect; without ATS, some addresses go astray", () => {
    const acs = { "0000:19:01.0": undefined };
    expect(routes([gpu, { ...nic, ats: true }], { acs })).toBe("root-complex direct");
    expect(reasons([gpu, nic], { acs })).toContain("not-redirected 0000:19:01.0");
  });

  it("is not told more of where config space was closed", () => {
    const acs = Object.fromEntries(ports.map(({ address }) => [address, undefined]));
    expect(routes([gpu, nic], { acs })).toBe("root-complex root-complex");
    expect(reasons([gpu, nic], { acs })).toEqual(["config-closed"]);
  });
});

describe("the way further out", () => {
  it("is the root complex's, where the processor is known to send requests on", () => {
    expect(routes([gpu, disk])).toBe("root-complex root-complex");
    const processor = { ...xeon, model: "Intel(R) Core(TM) i7-8650U" };
    expect(routes([gpu, disk], { processor })).toBe("unproven unproven");
    expect(reasons([gpu, disk], { processor })).toEqual(["processor"]);
    expect(routes([gpu, nic], { processor })).toBe("unproven unproven");
    const amd = { ...xeon, vendor: "AuthenticAMD", model: "AMD EPYC 9654 96-Core Processor" };
    expect(routes([gpu, disk], { processor: amd })).toBe("root-complex root-complex");
    expect(routes([gpu, disk], { processor: { ...amd, model: "AMD Opteron(tm) 6376" } })).toBe(
      "unproven unproven",
    );
  });

  it("is not counted on between root complexes", () => {
    const elsewhere = pciFunction("0000:40:00.0", { rootBus: "0000:37", bars });
    expect(isCapable(pair([gpu, elsewhere]))).toBe(false);
    expect(reasons([gpu, elsewhere])).toEqual(["between-root-complexes"]);
  });
});

describe("memory that the IOMMU does not map", () => {
  it("is reached by none: all of it with iommufd", () => {
    expect(routes([gpu, nic], { isIommufd: true })).toBe("none none");
    expect(reasons([gpu, nic], { isIommufd: true })).toEqual(["iommufd"]);
  });

  it("that of a device whose BARs are smaller than a page", () => {
    const small = [
      { index: 0, sizeBytes: 256, kind: "mem32", prefetchable: false },
      { index: 1, sizeBytes: 2 ** 16, kind: "io", prefetchable: false },
    ] as const;
    expect(routes([gpu, { ...nic, bars: small }])).toBe("none root-complex");
    expect(reasons([gpu, { ...nic, bars: small }])[0]).toBe("no-memory 0000:1b:00.0");
    // Of a host that tells no BARs nothing is concluded.
    expect(routes([gpu, { ...nic, bars: [] }])).toBe("root-complex root-complex");
  });

  it("64-bit BARs of a window that ends beyond the addresses of the IOMMU", () => {
    const iommu = { enabled: true, vfioPci: "loaded", iommufd: false, addressBits: 39 } as const;
    expect(routes([gpu, nic], { iommu, windowEnd: 2 ** 40 })).toBe("none none");
    expect(routes([gpu, nic], { iommu, windowEnd: 2 ** 39 })).toBe("root-complex root-complex");
    const low = [{ index: 0, sizeBytes: 2 ** 24, kind: "mem32", prefetchable: false }] as const;
    expect(routes([gpu, { ...nic, bars: low }], { iommu, windowEnd: 2 ** 40 })).toBe("root-complex none");
    expect(reasons([gpu, nic], { iommu, windowEnd: 2 ** 40 })).toEqual([
      "beyond-iommu 0000:1b:00.0",
      "beyond-iommu 0000:1a:00.0",
    ]);
  });
});

it("a plan's table has the devices that its guest gets, and no others", () => {
  const host = hostWith([...ports, gpu, nic, far, disk].map((fn, iommuGroup) => ({ ...fn, iommuGroup })));
  const devices = [{ address: nic.address }, { address: gpu.address }];
  const pairs = planP2p(plan({ passthrough: { devices } }, { host }), host);
  expect(pairs.map(({ devices: two }) => two)).toEqual([[gpu.address, nic.address]]);
  expect(planP2p(plan({}, { host }), host)).toEqual([]);
});
