import { describe, expect, it } from "vitest";
import { plan, problems } from "./planning.ts";

const twoDpus = [
  { select: { vendor: "10de", class: "3d" }, id: "gpu" },
  { select: { vendor: "15b3", class: "ethernet" }, id: "nic" },
];
const guest = {
  machine: { accel: "kvm", firmware: { ovmf: {} } },
  cpus: { boot: 2 },
  rng: false,
  guestAgent: false,
};
const cells = {
  cells: [
    { cpus: "0", memory: "512M", hostNodes: "0" },
    { cpus: "1", memory: "512M", hostNodes: "1" },
  ],
};
const world = { host: "a100x-dpu" } as const;

/** The tree below a bus, each line two spaces deeper than what it hangs on. */
function drawn(changes: object): string[] {
  const { devices } = plan({ ...guest, ...changes }, world);
  const below = (bus: string, depth: string): string[] =>
    devices
      .filter((device) => device.bus === bus)
      .flatMap(({ id, numaNode }) => [
        `${depth}${id}${depth === "" && numaNode !== undefined ? ` cell ${numaNode}` : ""}`,
        ...below(id, `${depth}  `),
      ]);
  return below("pcie.0", "");
}
const pcie = (given: object) => ({
  pcie: { spareRootPorts: 0, ...given },
  passthrough: { devices: twoDpus },
});

describe("pcie.topology", () => {
  it("switch puts what shares a switch on the host below one of the guest's", () => {
    expect(drawn(pcie({ topology: "switch" }))).toEqual([
      ...["rp0", "  sw0", "    dp0", "      gpu0", "    dp1", "      nic0", "      nic1"],
      ...["rp1", "  sw1", "    dp2", "      gpu1", "    dp3", "      nic2", "      nic3"],
    ]);
  });

  it("switch hangs them on the cells that are bound to their nodes", () => {
    const tree = drawn({ ...pcie({ topology: "switch" }), numa: cells });
    expect(tree).toEqual([
      ...["pxb0 cell 0", "  rp0", "    sw0", "      dp0", "        gpu0", "      dp1", "        nic0"],
      ...["        nic1"],
      ...["pxb1 cell 1", "  rp1", "    sw1", "      dp2", "        gpu1", "      dp3", "        nic2"],
      ...["        nic3"],
    ]);
  });

  it("switch follows the cliques that the profile or CDI files give", () => {
    const devices = [
      { ...twoDpus[0], clique: 3 },
      { ...twoDpus[1], clique: "none" },
    ];
    expect(drawn({ ...pcie({ topology: "switch" }), passthrough: { devices } })).toEqual([
      ...["rp0", "  sw0", "    dp0", "      gpu0", "    dp1", "      gpu1"],
      ...["rp1", "  sw1", "    dp2", "      nic0", "      nic1"],
      ...["rp2", "  sw2", "    dp3", "      nic2", "      nic3"],
    ]);
  });

  it("flat gives each device a root port on pcie.0, whatever its node", () => {
    const tree = drawn({ ...pcie({ topology: "flat" }), numa: cells });
    expect(tree).toEqual([
      ...["rp-gpu0", "  gpu0", "rp-gpu1", "  gpu1"],
      ...["rp-nic0", "  nic0", "  nic1", "rp-nic2", "  nic2", "  nic3"],
    ]);
    expect(problems({ ...guest, ...pcie({ topology: "flat" }), numa: cells }, world)).toEqual([]);
  });

  it("is on the cell of the device's node without a word", () => {
    expect(drawn({ ...pcie({}), numa: cells })).toContain("pxb-cell1 cell 1");
  });

  it("leaves a device that names its bus where it is", () => {
    const devices = [{ address: "0000:41:00.0", id: "gpu", bus: "mine" }];
    const own = { tree: [{ rootPort: "mine" }], topology: "switch" };
    expect(drawn({ ...pcie(own), passthrough: { devices } })).toEqual(["mine", "  gpu"]);
  });

  it("cannot be had beside the mirrored tree", () => {
    expect(problems({ ...guest, ...pcie({ topology: "flat", mirror: true }) }, world)).toContain(
      'PCIE_PLACEMENT pcie.topology: "flat" beside pcie.mirror; one of the two: the mirrored tree is the host\'s',
    );
  });

  it("is why NCCL counts links as slow, where the switches are of the old kind", () => {
    expect(problems({ ...guest, ...pcie({ topology: "switch" }) }, world)).toContainEqual(
      expect.stringContaining("(warning) PCIE_LINK pcie.topology: "),
    );
  });
});
