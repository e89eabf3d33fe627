import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PciFunction } from "../../src/host/index.ts";
import { type MirroredTree, mirrorTree } from "../../src/plan/pcie-mirror.ts";
import type { TreeSwitch } from "../../src/profile/index.ts";
import { profileSchema } from "../../src/profile/schema.ts";
import { anyPciTree, pciBridge, pciFunction } from "./host-pci.ts";

const cellOfNode = (node: number) => (node < 0 ? undefined : node);
const options = { expanders: "root-complex", fastestLink: 64 } as const;

/** The tree in one line: expander[cell](port<speed>{switch: ports}). */
function draw({ tree }: Pick<MirroredTree, "tree">): string {
  const drawSwitch = (node: TreeSwitch | undefined): string =>
    node
      ? `{${node.upstream}: ${node.downstream.map((below) => below.port + drawSwitch(below.switch)).join(" ")}}`
      : "";
  return tree
    .map(({ expander, numaNode, ports }) => {
      const inner = ports.map((port) => `${port.rootPort}@${port.addr}${drawSwitch(port.switch)}`);
      return `${expander}[${numaNode ?? "-"}](${inner.join(" ")})`;
    })
    .join(" ");
}

const places = ({ placeOf }: MirroredTree) =>
  Object.fromEntries([...placeOf].map(([address, { bus, function: fn }]) => [address, `${bus}.${fn}`]));

/** Two sockets; on the first a switch with a GPU and a NIC, and an NVMe disk of its own; on the second a GPU. */
const twoSockets: PciFunction[] = [
  pciBridge("0000:17:01.0", { rootBus: "0000:17" }),
  pciBridge("0000:18:00.0", { rootBus: "0000:17", parent: "0000:17:01.0", kind: "upstream-port" }),
  ...["00", "01", "02"].map((slot) =>
    pciBridge(`0000:19:${slot}.0`, { rootBus: "0000:17", parent: "0000:18:00.0", kind: "downstream-port" }),
  ),
  pciFunction("0000:1a:00.0", { rootBus: "0000:17", parent: "0000:19:00.0" }),
  pciFunction("0000:1a:00.1", { rootBus: "0000:17", parent: "0000:19:00.0", class: "040300" }),
  pciFunction("0000:1b:00.0", { rootBus: "0000:17", parent: "0000:19:01.0", class: "020700" }),
  pciFunction("0000:1c:00.0", { rootBus: "0000:17", parent: "0000:19:02.0", class: "010700" }),
  pciBridge("0000:17:05.0", { rootBus: "0000:17" }),
  pciFunction("0000:1d:00.0", { rootBus: "0000:17", parent: "0000:17:05.0", class: "010802" }),
  pciBridge("0000:97:01.0", { rootBus: "0000:97", node: 1 }),
  pciFunction("0000:98:00.0", { rootBus: "0000:97", parent: "0000:97:01.0", node: 1 }),
];

describe("mirrorTree", () => {
  it("copies what the devices hang on, and nothing else", () => {
    const mirrored = mirrorTree(
      twoSockets,
      ["0000:98:00.0", "0000:1d:00.0", "0000:1b:00.0", "0000:1a:00.0"],
      cellOfNode,
      options,
    );
    expect(draw(mirrored)).toBe("pxb0[0](rp0@0.0{sw0: dp0 dp1} rp1@0.1) pxb1[1](rp2@0.0)");
    expect(places(mirrored)).toEqual({
      "0000:1a:00.0": "dp0.0",
      "0000:1b:00.0": "dp1.0",
      "0000:1d:00.0": "rp1.0",
      "0000:98:00.0": "rp2.0",
    });
  });

  it("keeps functions of one slot together; the first is function 0", () => {
    const both = mirrorTree(twoSockets, ["0000:1a:00.0", "0000:1a:00.1"], cellOfNode, options);
    expect(places(both)).toEqual({ "0000:1a:00.0": "dp0.0", "0000:1a:00.1": "dp0.1" });
    const one = mirrorTree(twoSockets, ["0000:1a:00.1"], cellOfNode, options);
    expect(places(one)).toEqual({ "0000:1a:00.1": "dp0.0" });
  });

  it("has an expander bus for each node when asked, and none on a cell that is not bound", () => {
    const pci = [
      ...twoSockets,
      pciBridge("0000:37:01.0", { rootBus: "0000:37" }),
      pciFunction("0000:38:00.0", { rootBus: "0000:37", parent: "0000:37:01.0" }),
    ];
    const addresses = ["0000:38:00.0", "0000:98:00.0", "0000:1d:00.0"];
    const onlyFirst = (node: number) => (node === 0 ? 3 : undefined);
    expect(draw(mirrorTree(pci, addresses, onlyFirst, options))).toBe(
      "pxb0[3](rp0@0.0) pxb1[3](rp1@0.0) pxb2[-](rp2@0.0)",
    );
    expect(draw(mirrorTree(pci, addresses, onlyFirst, { ...options, expanders: "node" }))).toBe(
      "pxb0[3](rp0@0.0 rp1@0.1) pxb1[-](rp2@0.0)",
    );
  });

  it("leaves ids alone that something else has", () => {
    const taken = new Set(["pxb0", "rp0", "rp1", "dp0", "sw1"]);
    const mirrored = mirrorTree(twoSockets, ["0000:1a:00.0", "0000:1b:00.0"], cellOfNode, {
      ...options,
      taken,
    });
    expect(draw(mirrored)).toBe("pxb1[0](rp2@0.0{sw0: dp1 dp2})");
  });

  it("gives a device of the root complex itself a root port", () => {
    const pci = [pciFunction("0000:00:1b.0", { class: "040300" })];
    const mirrored = mirrorTree(pci, ["0000:00:1b.0"], cellOfNode, options);
    expect(draw(mirrored)).toBe("pxb0[0](rp0@0.0)");
    expect(mirrored.tree[0]?.ports[0]).toMatchObject({ hotplug: true, speed: undefined, width: undefined });
  });

  it("has a switch in a bridge's place when more than one device is behind it", () => {
    const pci = [
      pciBridge("0000:00:01.0"),
      pciBridge("0000:01:00.0", { parent: "0000:00:01.0", kind: "bridge" }),
      pciFunction("0000:02:00.0", { parent: "0000:01:00.0" }),
      pciFunction("0000:02:01.0", { parent: "0000:01:00.0" }),
    ];
    const drawn = (...addresses: string[]) => draw(mirrorTree(pci, addresses, cellOfNode, options));
    expect(drawn("0000:02:01.0")).toBe("pxb0[0](rp0@0.0)");
    expect(drawn("0000:02:01.0", "0000:02:00.0")).toBe("pxb0[0](rp0@0.0{sw0: dp0 dp1})");
  });

  it("leaves bridges and unknown addresses out", () => {
    expect(mirrorTree(twoSockets, ["0000:18:00.0", "0000:ff:00.0"], cellOfNode, options).tree).toEqual([]);
  });

  it.each([
    [64, 32, 16, "32", 16],
    [16, 32, 16, "16", 16],
    [64, 2.5, 1, "2_5", 1],
    [64, 1, 7, undefined, undefined],
  ])(
    "has the link of the host's port, up to %d GT/s: %d x%d",
    (fastestLink, maxSpeed, maxWidth, speed, width) => {
      const pci = twoSockets.map((fn) =>
        fn.address === "0000:97:01.0" ? { ...fn, link: { maxSpeed, maxWidth, speed: 2.5, width: 1 } } : fn,
      );
      const { tree } = mirrorTree(pci, ["0000:98:00.0"], cellOfNode, { ...options, fastestLink });
      expect(tree[0]?.ports[0]).toMatchObject({ speed, width });
    },
  );

  it("keeps 40 root ports on one expander bus, eight to a slot", () => {
    const pci = Array.from({ length: 40 }, (_, index) => {
      const bus = (index + 1).toString(16).padStart(2, "0");
      const port = `0000:00:${(index >> 3).toString(16).padStart(2, "0")}.${index & 7}`;
      return [pciBridge(port), pciFunction(`0000:${bus}:00.0`, { parent: port })];
    }).flat();
    const { tree } = mirrorTree(
      pci,
      pci.map((fn) => fn.address),
      cellOfNode,
      options,
    );
    expect(tree[0]?.ports).toHaveLength(40);
    expect(tree[0]?.ports.at(-1)?.addr).toBe("4.7");
  });
});

describe("any host tree", () => {
  interface Place {
    readonly root: string;
    readonly rootPort: string;
    /** From the root down. */
    readonly switches: readonly string[];
    readonly slot: string;
  }

  const hostPlaces = (pci: readonly PciFunction[], addresses: readonly string[]) => {
    const byAddress = new Map(pci.map((fn) => [fn.address, fn]));
    const bridgesAbove = (fn: PciFunction | undefined): PciFunction[] => {
      const parent = byAddress.get(fn?.parent ?? "");
      return parent ? [...bridgesAbove(parent), parent] : [];
    };
    const slotOf = (address: string) => address.slice(0, -2);
    // A bridge to conventional PCI is a switch in the guest once more than one device is behind it.
    const slotsBelow = (bridge: PciFunction) =>
      new Set(addresses.filter((address) => byAddress.get(address)?.parent === bridge.address).map(slotOf));
    const isSwitch = (fn: PciFunction) =>
      fn.kind === "upstream-port" || (fn.kind === "bridge" && slotsBelow(fn).size > 1);
    return new Map(
      addresses.map((address): [string, Place] => {
        const device = byAddress.get(address);
        const above = bridgesAbove(device);
        return [
          address,
          {
            root: device?.rootBus ?? "",
            // On the root bus itself the slot is the root port that the guest has.
            rootPort: above[0]?.address ?? slotOf(address),
            switches: above.filter(isSwitch).map((fn) => fn.address),
            slot: slotOf(address),
          },
        ];
      }),
    );
  };

  const guestPlaces = ({ tree, placeOf }: MirroredTree) => {
    const byPort = new Map<string, Place>();
    for (const { expander, ports } of tree) {
      for (const { rootPort, switch: top } of ports) {
        const walk = (port: string, node: TreeSwitch | undefined, switches: string[]) => {
          byPort.set(port, { root: expander, rootPort, switches, slot: port });
          for (const below of node?.downstream ?? []) {
            walk(below.port, below.switch, [...switches, node?.upstream ?? ""]);
          }
        };
        walk(rootPort, top, []);
      }
    }
    return new Map([...placeOf].map(([address, { bus }]) => [address, byPort.get(bus)]));
  };

  it("has each pair of devices as far apart in the guest as on the host", () => {
    fc.assert(
      fc.property(anyPciTree, fc.infiniteStream(fc.boolean()), ({ pci, endpoints }, wanted) => {
        const addresses = endpoints.filter(() => wanted.next().value);
        const mirrored = mirrorTree(pci, addresses, cellOfNode, options);
        const guest = guestPlaces(mirrored);
        const host = hostPlaces(pci, addresses);
        expect([...guest.keys()].sort()).toEqual([...addresses].sort());
        const relation = (a: Place | undefined, b: Place | undefined) => ({
          root: a?.root === b?.root,
          rootPort: a?.rootPort === b?.rootPort,
          slot: a?.slot === b?.slot,
          commonSwitches: a?.switches.filter((id) => b?.switches.includes(id)).length,
        });
        const pairs = addresses.flatMap((a) => addresses.map((b) => [a, b] as const));
        expect(pairs.map(([a, b]) => relation(guest.get(a), guest.get(b)))).toEqual(
          pairs.map(([a, b]) => relation(host.get(a), host.get(b))),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("gives ids and places once, in a tree that a profile can have", () => {
    fc.assert(
      fc.property(
        anyPciTree,
        fc.constantFrom("node" as const, "root-complex" as const),
        (host, expanders) => {
          const { pci, endpoints } = host;
          const { tree, placeOf } = mirrorTree(pci, endpoints, () => undefined, { ...options, expanders });
          const ids = JSON.stringify(tree).match(/"(expander|rootPort|upstream|port)":"[^"]+"/g) ?? [];
          expect(new Set(ids.map((id) => id.split(":")[1])).size).toBe(ids.length);
          const taken = [...placeOf.values()].map(({ bus, function: fn }) => `${bus}.${fn}`);
          expect(new Set(taken).size).toBe(taken.length);
          const buses = new Set([...placeOf.values()].map((place) => place.bus));
          for (const bus of buses) expect(taken).toContain(`${bus}.0`);
          const profile = {
            version: 1,
            name: "vm",
            cpus: { boot: 1 },
            memory: { size: "1G" },
            pcie: { tree },
          };
          expect(profileSchema.parse(profile).pcie.tree).toEqual(JSON.parse(JSON.stringify(tree)));
        },
      ),
      { numRuns: 300 },
    );
  });
});
