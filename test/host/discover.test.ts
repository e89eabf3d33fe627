import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { filesFromGrep } from "../../scripts/host-from-text.ts";
import { QlaunchError } from "../../src/errors/index.ts";
import { openCache } from "../../src/host/cache.ts";
import { discoverHost, findQemu, type QemuFacts } from "../../src/host/index.ts";
import { DryRunViolation, fakeSystem } from "../rig/fake-system.ts";
import { pciFiles } from "../rig/pci-files.ts";
import { behindSwitch } from "./pci-functions.ts";
import { workshop } from "./workshop.ts";

const sources = new URL("../hosts/sources/", import.meta.url);
const laptop = filesFromGrep(readFileSync(new URL("laptop.sysfs.txt", sources), "utf8"));
const recordedFacts: QemuFacts = JSON.parse(readFileSync(new URL("qemu-7.2.json", sources), "utf8"));
const withKvm = {
  ...laptop,
  "/dev/kvm": { facts: { kind: "character", mode: 0o666 } },
  "/usr/bin/qemu-system-x86_64": { facts: { mode: 0o755 } },
} as const;

async function diagnosticOf(work: Promise<unknown>) {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof QlaunchError) return error.diagnostics[0];
  throw error ?? new Error("nothing was refused");
}

it("starts and writes nothing unless asked for more than CPUs and nodes", async () => {
  const host = await discoverHost(fakeSystem(withKvm));
  expect(host).toMatchObject({ version: 1, kvm: { usable: false, reason: "nobody looked" } });
  expect(host).not.toHaveProperty("qemu");
});

it("reads PCI functions and the IOMMU when asked", async () => {
  const system = fakeSystem({ ...laptop, ...pciFiles(behindSwitch) });
  const host = await discoverHost(system, { need: { pci: true } });
  expect(host.pci).toEqual(behindSwitch);
  expect(host.iommu).toEqual({ enabled: true, vfioPci: "absent", iommufd: false });
  const without = await discoverHost(system);
  expect(without).not.toHaveProperty("pci");
  expect(without).not.toHaveProperty("iommu");
});

it("starts nothing when it may not, and says so", async () => {
  const need = { kvm: true, qemu: "if-present" } as const;
  const host = await discoverHost(fakeSystem(withKvm), { need, mayStart: false });
  expect(host.kvm).toEqual({ usable: false, reason: "not tried since this machine started", untried: true });
  expect(host).not.toHaveProperty("qemu");
});

it("would start QEMU otherwise", async () => {
  await expect(discoverHost(fakeSystem(withKvm), { need: { kvm: true } })).rejects.toThrow(DryRunViolation);
  await expect(discoverHost(fakeSystem(withKvm), { need: { qemu: "if-present" } })).rejects.toThrow(
    DryRunViolation,
  );
});

it("does without QEMU where it is optional", async () => {
  const { "/usr/bin/qemu-system-x86_64": _, ...tree } = withKvm;
  const host = await discoverHost(fakeSystem(tree), { need: { kvm: true, qemu: "if-present" } });
  expect(host.kvm).toEqual({ usable: false, reason: "there is no QEMU to try it with" });
  expect(host).not.toHaveProperty("qemu");
});

it("refuses to do without where it is required", async () => {
  expect(await diagnosticOf(discoverHost(fakeSystem(laptop), { need: { qemu: "required" } }))).toMatchObject({
    code: "QEMU_ABSENT",
  });
});

it("keeps the words of a QEMU that does not answer", async () => {
  const { system, program } = workshop();
  const qemu = program("qemu", "echo 'qemu: cannot open shared object file: libfoo.so' >&2; exit 127");
  expect(await diagnosticOf(discoverHost(system, { qemu, need: { qemu: "required" } }))).toMatchObject({
    code: "QEMU_UNUSABLE",
    found: `${qemu} does not answer`,
    detail: "qemu: cannot open shared object file: libfoo.so",
  });
  expect((await discoverHost(system, { qemu, need: { qemu: "if-present" } })).qemu).toBeUndefined();
});

it("refuses a program that talks something else", async () => {
  const { system, program } = workshop();
  const qemu = program("qemu", 'test -e /proc/self/fd/3 && echo "SSH-2.0" >&3; exit 0');
  expect(await diagnosticOf(discoverHost(system, { qemu, need: { qemu: "required" } }))).toMatchObject({
    code: "QEMU_UNUSABLE",
    detail: expect.stringContaining("SSH-2.0"),
  });
});

/** A program with facts in the cache, which must not be started. */
function known(facts: unknown) {
  const { folder, system, program } = workshop();
  const qemu = program("qemu", `touch ${join(folder, "started")}; exit 1`);
  const { identity } = findQemu(system, qemu);
  openCache(system).set(`qemu ${identity.realPath}`, identity, facts);
  const wasStarted = () => system.files.facts(join(folder, "started")) !== undefined;
  return { system, qemu, wasStarted, program };
}

it("asks a QEMU once only", async () => {
  const { system, qemu, wasStarted } = known(recordedFacts);
  const host = await discoverHost(system, { qemu, need: { qemu: "required" } });
  expect(host.qemu).toEqual({ ...recordedFacts, binary: qemu });
  expect(wasStarted()).toBe(false);
});

it("asks again when the program was replaced", async () => {
  const { system, qemu, wasStarted, program } = known(recordedFacts);
  const replaced = program("qemu", `touch "$(dirname "$0")/started"; echo changed >&2; exit 1`);
  expect(replaced).toBe(qemu);
  await diagnosticOf(discoverHost(system, { qemu, need: { qemu: "required" } }));
  expect(wasStarted()).toBe(true);
});

it.each([
  ["of another shape", { version: 7 }],
  ["without its lists", { ...recordedFacts, devices: undefined }],
  ["null", null],
])("asks again when what was kept is %s", async (_, facts) => {
  const { system, qemu, wasStarted } = known(facts);
  await diagnosticOf(discoverHost(system, { qemu, need: { qemu: "required" } }));
  expect(wasStarted()).toBe(true);
});

it.each([
  [6, 2],
  [7, 1],
])("refuses QEMU %i.%i", async (major, minor) => {
  const version = { ...recordedFacts.version, major, minor, micro: 3 };
  const { system, qemu } = known({ ...recordedFacts, version });
  expect(await diagnosticOf(discoverHost(system, { qemu, need: { qemu: "required" } }))).toMatchObject({
    code: "QEMU_TOO_OLD",
    found: `${qemu} is QEMU ${major}.${minor}.3`,
    needed: "QEMU 7.2 or newer",
  });
});

it.each([
  [7, 2],
  [8, 0],
  [11, 1],
])("takes QEMU %i.%i", async (major, minor) => {
  const { system, qemu } = known({ ...recordedFacts, version: { ...recordedFacts.version, major, minor } });
  const host = await discoverHost(system, { qemu, need: { qemu: "required" } });
  expect(host.qemu?.version).toMatchObject({ major, minor });
});
