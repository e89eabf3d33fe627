import { expect, it } from "vitest";
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
