import { describe, expect, it } from "vitest";
import type { Plan } from "../../../src/plan/index.ts";
import type { CheckContext } from "../../../src/vm/preflight/context.ts";
import { checkPassthrough } from "../../../src/vm/preflight/passthrough.ts";
import { type VfioHost, vfioHost } from "../../rig/vfio-host.ts";
import { functions, passed } from "../vfio/passed.ts";

const qemuUser = { uid: 107, gid: 107, groups: [] };

function look({ system, writes }: VfioHost, changes: Partial<CheckContext> = {}, list = functions) {
  const plan = { run: { passthrough: passed(list) }, options: [] } as unknown as Plan;
  const problems = checkPassthrough({ system, plan, account: undefined, ...changes } as CheckContext);
  expect(writes).toEqual([]);
  for (const { needed, fix } of problems) expect(`${needed}${fix}`).not.toContain("undefined");
  return problems.map(({ code, path, found }) => `${code} ${path.join(".")}: ${found}`);
}

describe("the look at devices before a start", () => {
  it("finds nothing against root, with the driver loaded or not", () => {
    expect(look(vfioHost(functions))).toEqual([]);
    expect(look(vfioHost(functions.slice(0, 3), { isLoaded: false }), {}, functions.slice(0, 3))).toEqual([]);
  });

  it("tells what is gone and what does not answer, at its place", () => {
    const host = vfioHost(functions);
    host.unplug("0000:41:00.0");
    host.kill("0000:43:00.0");
    expect(look(host)).toEqual([
      "HOST_DEVICE_ABSENT passthrough.devices.0: there is no PCI function 0000:41:00.0",
      "HOST_DEVICE_DEAD passthrough.devices.2: 0000:43:00.0 does not answer: its configuration space reads as ones",
    ]);
  });

  it("takes the class of a virtual function for its answer, since its ids are ones", () => {
    const config = Buffer.alloc(64);
    config.fill(0xff, 0, 4);
    const host = vfioHost(functions, {
      files: { "/sys/devices/pci0000:41/0000:41:00.0/physfn": { link: "../0000:40:00.0" } },
    });
    host.tree["/sys/devices/pci0000:41/0000:41:00.0/config"] = { bytes: config };
    expect(look(host)).toEqual([]);
    host.kill("0000:41:00.0");
    expect(look(host)).toHaveLength(1);
  });

  it("tells a user what only root may do", () => {
    const [, , , bound] = functions;
    const list = functions.slice(0, 2);
    expect(look(vfioHost(list, { uid: 1000, isLoaded: false }), {}, list)).toEqual([
      "HOST_IOMMU passthrough.devices: the driver vfio-pci is not loaded, and you are user 1000",
      "HOST_DEVICE_BIND passthrough.devices: you are user 1000, and 0000:41:00.0 0000:42:00.0 must leave the driver",
    ]);
    const host = vfioHost(functions, { uid: 1000 });
    expect(look(host, {}, bound ? [bound] : [])).toEqual([
      "HOST_IOMMU passthrough.devices: you may not open /dev/vfio/4",
    ]);
    host.tree["/dev/vfio/4"] = { facts: { kind: "character", mode: 0o666 } };
    expect(look(host, {}, bound ? [bound] : [])).toEqual([]);
  });

  it("tells a read-only sysfs from a lack of rights", () => {
    const { system } = vfioHost(functions);
    const files = { ...system.files, allows: (path: string) => !path.endsWith("driver_override") };
    expect(look({ ...vfioHost(functions), system: { ...system, files } })).toEqual([
      expect.stringMatching(
        /^HOST_DEVICE_BIND .*: sysfs is mounted read-only, and 0000:41:00.0 0000:42:00.0 0000:43/,
      ),
    ]);
  });

  it("wants the doors of the kernel: the container's, or iommufd's", () => {
    const host = vfioHost(functions);
    delete host.tree["/dev/vfio/vfio"];
    expect(look(host)).toEqual(["HOST_IOMMU passthrough.devices: there is no /dev/vfio/vfio"]);
    const options = [{ option: "object", qomType: "iommufd", id: "iommufd0", properties: {}, because: [] }];
    const plan = { run: { passthrough: passed() }, options } as unknown as Plan;
    expect(look(host, { plan })).toEqual(["HOST_IOMMU passthrough.devices: there is no /dev/iommu"]);
  });

  it("wants a rule of udev's for another user of QEMU's, or nodes that are open to it", () => {
    const host = vfioHost(functions);
    expect(look(host, { account: qemuUser })).toEqual([
      "HOST_IOMMU sandbox.user: user 107 may not open /dev/vfio/4",
      "HOST_IOMMU sandbox.user: the kernel will make /dev/vfio/1 for root alone, and QEMU runs as user 107",
    ]);
    host.tree["/etc/udev/rules.d/10-vfio.rules"] = 'SUBSYSTEM=="vfio", GROUP="kvm", MODE="0660"\n';
    host.tree["/dev/vfio/4"] = { facts: { kind: "character", gid: 107, mode: 0o660 } };
    expect(look(host, { account: qemuUser })).toEqual([]);
    expect(look(host, { account: { ...qemuUser, uid: 0 } })).toEqual([]);
  });
});
