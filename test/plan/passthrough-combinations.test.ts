import { describe, expect, it } from "vitest";
import type { Host, QemuFacts } from "../../src/host/index.ts";
import { hostWith, workstation } from "./host-pci.ts";
import { device, plan, problems, values } from "./planning.ts";

const gpu = { address: "0000:01:00.0" };
const virtual = { address: "0000:03:02.0" };
const host = hostWith(workstation);
const machine = (viommu: object) => ({ accel: "kvm", viommu });

describe("an IOMMU of the guest", () => {
  it("needs caching mode", () => {
    expect(problems({ machine: machine({}), passthrough: { devices: [virtual] } }, { host })).toEqual([
      "PASSTHROUGH_COMBINATION machine.viommu.cachingMode: an IOMMU of the guest without caching mode, with passed-through devices; caching mode, by which QEMU sees every mapping that the guest makes for a device",
    ]);
    const caching = machine({ cachingMode: true });
    expect(problems({ machine: caching, passthrough: { devices: [virtual] } }, { host })).toEqual([]);
    expect(problems({ machine: machine({}) }, { host })).toEqual([]);
  });

  it("takes one device of a group", () => {
    const changes = {
      machine: machine({ cachingMode: true }),
      passthrough: { group: "whole", devices: [gpu] },
    };
    expect(problems(changes, { host })[0]).toBe(
      "PASSTHROUGH_COMBINATION passthrough.devices[0]: 0000:01:00.0 and 0000:01:00.1 of IOMMU group 1 in a guest with an IOMMU; one device of a group: the guest's IOMMU gives each an address space, and a group has only one",
    );
  });
});

it("a balloon is warned of", () => {
  expect(problems({ balloon: true, passthrough: { devices: [virtual] } }, { host })).toEqual([
    "(warning) PASSTHROUGH_COMBINATION balloon: a memory balloon with passed-through devices; no balloon: the devices reach all memory, and QEMU gives none of it back to the host",
  ]);
  expect(problems({ balloon: true }, { host })).toEqual([]);
});

describe("the backend", () => {
  const newQemu = (given: Partial<Host["iommu"]> = {}): Host => ({
    ...host,
    iommu: { enabled: true, vfioPci: "loaded", iommufd: true, ...given },
    qemu: { ...(host.qemu as QemuFacts), objects: [...(host.qemu?.objects ?? []), "iommufd"] },
  });
  const iommufd = (...devices: object[]) => ({ passthrough: { backend: "iommufd", devices } });

  it("is the legacy container, of which QEMU has no option", () => {
    const planned = plan({ passthrough: { devices: [virtual] } }, { host });
    expect(planned.decisions.find(({ id }) => id === "passthrough.backend")?.value).toBe(
      "the legacy container",
    );
    expect(device(planned, "nic0")).not.toContain("iommufd");
    expect(plan({}, { host }).decisions.map(({ id }) => id)).not.toContain("passthrough.backend");
  });

  it("iommufd is an object that each device names, there for later ones as well", () => {
    const planned = plan(iommufd(virtual), { host: newQemu() });
    expect(values(planned, "object")).toContain("iommufd,id=iommufd0");
    expect(device(planned, "nic0")).toContain("host=0000:03:02.0,iommufd=iommufd0");
    expect(values(plan(iommufd(), { host: newQemu() }), "object")).toContain("iommufd,id=iommufd0");
  });

  it("iommufd is refused where QEMU or the kernel lacks it", () => {
    expect(problems(iommufd(virtual), { host })).toEqual([
      "QEMU_FEATURE passthrough.backend: iommufd with QEMU 7.2, which does not have it; QEMU 9.0 or newer, built with iommufd",
      "HOST_IOMMU passthrough.backend: a host without /dev/iommu; a kernel with iommufd (Linux 6.2 or newer), its module loaded",
    ]);
  });

  it("iommufd with a clique is warned of, since P2P may not work", () => {
    const changes = iommufd({ ...gpu, clique: 0 }, virtual);
    const strict = { passthrough: { ...changes.passthrough, group: "whole" } };
    expect(problems(strict, { host: newQemu() })).toEqual([
      "(warning) PASSTHROUGH_CLIQUE passthrough.devices[0].address: a clique for 0000:01:00.0 with backend iommufd; Linux 6.19 and QEMU 11 or newer, before which iommufd maps no device memory",
    ]);
  });
});
