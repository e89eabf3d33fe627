import { describe, expect, it } from "vitest";
import type { Host } from "../../src/host/index.ts";
import { switchDrivers } from "../../src/plan/pcie-switch.ts";
import { device, plan, problems, recordedHost } from "./planning.ts";

const bare = { rng: false, guestAgent: false };
const generic = ["pcie-upstream-port", "pcie-downstream-port"];

/** A recorded host whose QEMU has the generic ports of switches. */
function withGenericSwitches(name: string): Host {
  const host = recordedHost(name);
  const { qemu } = host;
  if (!qemu) throw new Error(`${name} has no QEMU`);
  const version = { ...qemu.version, major: 11, minor: 1 };
  return { ...host, qemu: { ...qemu, version, devices: [...qemu.devices, ...generic] } };
}

const switchOf = (link: object) => ({
  rootPort: "rp",
  switch: { upstream: "up", ...link, downstream: [{ port: "down", ...link }] },
});

describe("the ports of a switch", () => {
  it.each([
    [[], "x3130-upstream"],
    [["pcie-upstream-port"], "x3130-upstream"],
    [generic, "pcie-upstream-port"],
  ])("of a QEMU with %j are of type %s", (devices, upstream) => {
    expect(switchDrivers({ devices }).upstream).toBe(upstream);
  });

  it("have the links that the profile gives them", () => {
    const pcie = { tree: [switchOf({ speed: "32", width: 16 })], spareRootPorts: 0 };
    const planned = plan({ ...bare, pcie }, { host: withGenericSwitches("laptop") });
    expect(device(planned, "up")).toBe("pcie-upstream-port,id=up,bus=rp,addr=0x0,x-speed=32,x-width=16");
    expect(device(planned, "down")).toBe(
      "pcie-downstream-port,id=down,bus=up,addr=0x0,port=0,chassis=2,slot=2,x-speed=32,x-width=16",
    );
  });

  it("cannot have them with an older QEMU", () => {
    const tree = [switchOf({ speed: "16" })];
    expect(problems({ pcie: { tree } })).toEqual([
      "QEMU_FEATURE pcie.tree[0].switch.speed: speed 16 of a switch's port, and this QEMU has no pcie-upstream-port and pcie-downstream-port; QEMU 11.1 or newer: the links of older switches are 2.5 GT/s and one lane wide",
      "QEMU_FEATURE pcie.tree[0].switch.downstream[0].speed: speed 16 of a switch's port, and this QEMU has no pcie-upstream-port and pcie-downstream-port; QEMU 11.1 or newer: the links of older switches are 2.5 GT/s and one lane wide",
    ]);
  });
});

const dpus = {
  pcie: { mirror: true },
  passthrough: { devices: [{ select: { vendor: "10de", class: "3d" }, id: "gpu" }] },
};

describe("the links of mirrored switches", () => {
  it("are those of the host's ports", () => {
    const planned = plan(dpus, { host: withGenericSwitches("a100x-dpu") });
    const switches = planned.devices.filter(({ driver }) => generic.includes(driver));
    expect(switches.length).toBeGreaterThan(3);
    for (const { id } of switches) expect(device(planned, id)).toMatch(/,x-speed=16,x-width=16$/);
    expect(problems(dpus, { host: withGenericSwitches("a100x-dpu") })).toEqual([]);
  });

  it("are told where they are slow, with the devices that NCCL avoids for it", () => {
    expect(problems(dpus, { host: "a100x-dpu" })).toEqual([
      "(warning) PCIE_LINK pcie.mirror: gpu0, gpu1 below switches of type x3130-upstream, whose links say 2.5 GT/s and one lane; QEMU 11.1 or newer for switches with true link speeds: NCCL counts these with 0.2 GB/s and avoids them",
    ]);
  });

  it("do not matter to a disk", () => {
    const select = { address: "0000:18:00.0" };
    const warned = problems(
      { pcie: { mirror: true }, passthrough: { devices: [select] } },
      { host: "hgx-h200" },
    );
    expect(warned.filter((text) => text.includes("PCIE_LINK"))).toEqual([]);
  });
});
