import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { filesFromGrep } from "../../scripts/host-from-text.ts";
import { readGatheredHost } from "../../src/host/elsewhere.ts";
import { discoverHost } from "../../src/host/index.ts";
import { realSystem, SystemError } from "../../src/system/index.ts";
import { type FakeFile, fakeSystem } from "../rig/fake-system.ts";
import { pciFiles } from "../rig/pci-files.ts";
import { behindSwitch } from "./pci-functions.ts";

const source = new URL("../hosts/sources/laptop.sysfs.txt", import.meta.url);
const tree = { ...filesFromGrep(readFileSync(source, "utf8")), ...pciFiles(behindSwitch) };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gathered-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Links stay as they are, as `cp -P` leaves them; those of drivers and groups then lead nowhere. */
function gather(files: Readonly<Record<string, FakeFile>>): void {
  for (const [path, file] of Object.entries(files)) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    if (typeof file === "string") writeFileSync(target, file);
    else if ("bytes" in file) writeFileSync(target, file.bytes);
    else if ("link" in file) symlinkSync(file.link, target);
  }
}

it("reads the same from a folder as from the machine itself", async () => {
  gather(tree);
  const { kvm: _, iommu, ...there } = await discoverHost(fakeSystem(tree), { need: { pci: true } });
  const gathered = readGatheredHost(realSystem.files, folder);
  expect(gathered).toMatchObject(there);
  expect(gathered.pci).toEqual(behindSwitch);
  expect(gathered.kvm).toEqual({ usable: false, reason: "not tried", untried: true });
  expect(gathered.iommu).toEqual({ ...iommu, vfioPci: "available" });
});

it("says what a folder lacks that no host lacks", () => {
  expect(() => readGatheredHost(realSystem.files, folder)).toThrow(SystemError);
  expect(() => readGatheredHost(realSystem.files, join(folder, "absent"))).toThrow(SystemError);
});

it("follows no link out of the folder", () => {
  const outside = mkdtempSync(join(tmpdir(), "outside-"));
  writeFileSync(join(outside, "uevent"), "PCI_CLASS=30200\nPCI_ID=10DE:2335\n");
  gather({
    ...tree,
    "/sys/bus/pci/devices/0000:1c:00.0": { link: "../../../devices/pci0000:17/0000:1c:00.0" },
    "/sys/devices/pci0000:17/0000:1c:00.0": { link: outside },
  });
  expect(readGatheredHost(realSystem.files, folder).pci).toEqual(behindSwitch);
  rmSync(outside, { recursive: true });
});

it("knows no KVM where the CPU has none", () => {
  const cpuinfo = String(filesFromGrep(readFileSync(source, "utf8"))["/proc/cpuinfo"]);
  gather({ ...tree, "/proc/cpuinfo": cpuinfo.replace(" vmx", "") });
  expect(readGatheredHost(realSystem.files, folder).kvm).toEqual({
    usable: false,
    reason: "the CPU shows neither vmx nor svm in /proc/cpuinfo",
  });
});
