import { expect, it } from "vitest";
import { formatJsonPath } from "../../src/errors/index.ts";
import { exportDomain } from "../../src/export/index.ts";
import { profileSchema } from "../../src/profile/schema.ts";
import { goldenHost, planGolden } from "../golden/cases.ts";

function exported(changes: object, host = "laptop") {
  const small = {
    version: 1,
    name: "vm",
    machine: { accel: "kvm" },
    cpus: { boot: 2 },
    memory: { size: "1G" },
  };
  const profile = profileSchema.parse({ ...small, ...changes });
  const plan = planGolden(profile, host);
  if (!plan.ok) throw new Error(JSON.stringify(plan.diagnostics));
  return exportDomain(profile, plan.value, goldenHost(host));
}

it("what libvirt has an element for is in no metadata", () => {
  const features = {
    ...{ kvm: false, pmu: false, svm: true, "kvm-pv-eoi": true, kvmclock: false, "hv-time": true },
    ...{ "hv-stimer": true, "hv-stimer-direct": true, "hv-spinlocks": 4095, "hv-vendor-id": "abc" },
  };
  const { lines, warnings } = exported({ cpus: { boot: 2, features } });
  const text = lines.join("\n");
  expect(text).not.toContain("qlaunch:part");
  expect(warnings).toEqual([]);
  for (const part of ["<apic eoi='on'/>", "<direct state='on'/>", "name='svm'/>", "retries='4095'/>"])
    expect(text).toContain(part);
});

it("what it has none for is told, with what its guest has instead", () => {
  const { lines, warnings } = exported({
    networks: [{ id: "lan", user: { forward: ["tcp::2222-:22"] } }],
    kernel: { image: "/k", cmdline: "a\u0001b" },
  });
  expect(lines.join("\n")).toContain(
    "<qlaunch:part path='networks/lan/user/forward'>[\"tcp::2222-:22\"]</qlaunch:part>",
  );
  expect(warnings.map(({ code, severity, path, needed }) => [code, severity, path, needed])).toEqual([
    ["EXPORT_LOSS", "warning", ["networks", 0, "user", "forward"], expect.stringContaining("passt")],
    ["EXPORT_LOSS", "warning", ["kernel", "cmdline"], expect.stringContaining("as far as XML can have it")],
  ]);
});

it("names that libvirt cannot have are spelled in its signs", () => {
  const { lines } = exported({ disks: [{ id: "a.b", file: "/d", format: "raw" }] });
  expect(lines.join("\n")).toContain("<alias name='ua-a_-b'/>");
});

it("entries of the firmware's device go by QEMU's arguments, where a comma would end them", () => {
  const { lines } = exported({
    fwCfg: [
      { name: "opt/a", string: "x" },
      { name: "opt/b", string: "x,y" },
    ],
  });
  const text = lines.join("\n");
  expect(text).toContain("<qemu:arg value='name=opt/a,string=x'/>");
  expect(text).toContain("<qemu:arg value='name=opt/b,string=x,,y'/>");
  expect(text).not.toContain("fwcfg");
});

it("what is read-only gives nothing back to the host", () => {
  const disk = { id: "a", file: "/a.raw", format: "raw", serial: "A" };
  const written = (changes: object) => exported({ disks: [{ ...disk, ...changes }] }).lines.join("\n");
  expect(written({})).toContain("discard='unmap'");
  expect(written({ readOnly: true })).not.toContain("discard=");
  expect(written({ device: "cdrom" })).not.toContain("discard=");
});

it("remapped interrupts take QEMU's I/O APIC, without KVM too", () => {
  const machine = { accel: "tcg", viommu: {} };
  expect(exported({ machine }).lines.join("\n")).toContain("<ioapic driver='qemu'/>");
});

const scsi = { id: "a", file: "/a.raw", format: "raw", device: "virtio-scsi" };

it.each([
  {
    what: "many vCPUs",
    changes: { cpus: { boot: 2, max: 256, topology: { sockets: 256 } } },
    path: "cpus.max",
  },
  {
    what: "threads under TCG",
    changes: { machine: { accel: "tcg" }, cpus: { boot: 2, topology: { threads: 2 } } },
    path: "cpus.topology",
  },
  { what: "slots", changes: { memory: { size: "1G", max: "2G", slots: 1 } }, path: "memory.slots" },
  {
    what: "a cell without memory",
    changes: { numa: { cells: [{ cpus: "0", memory: "1G" }, { cpus: "1" }] } },
    path: "numa.cells[1].memory",
  },
  { what: "a SCSI disk without a serial number", changes: { disks: [scsi] }, path: "disks[0].serial" },
  { what: "a blank in it", changes: { disks: [{ ...scsi, serial: "A B" }] }, path: "disks[0].serial" },
  { what: "virtiofs", changes: { filesystems: [{ id: "a", path: "/a" }] }, path: "filesystems[0].type" },
])("$what: libvirt's other way is told", ({ changes, path }) => {
  const { warnings } = exported(changes);
  expect(warnings.map((warning) => formatJsonPath(warning.path))).toEqual([path]);
});
