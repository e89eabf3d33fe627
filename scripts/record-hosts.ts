import { writeSnapshot } from "../src/host/elsewhere.ts";
import { discoverHost, type Host, type QemuFacts } from "../src/host/index.ts";
import { fakeSystem } from "../test/rig/fake-system.ts";
import { pciFromLspci } from "./host-from-lspci.ts";
import { hostFromLstopo } from "./host-from-lstopo.ts";
import { filesFromGrep, hostFromText } from "./host-from-text.ts";
import type { PciModel } from "./pci-from-tree.ts";

/**
 * Makes the recorded hosts of test/hosts/ from their sources.
 * @param read gives the text of a file in test/hosts/sources/
 * @returns texts by file name
 */
export async function recordHosts(read: (name: string) => string): Promise<Record<string, string>> {
  const qemu: QemuFacts = JSON.parse(read("qemu-7.2.json"));
  const complete = (facts: Omit<Host, "kvm" | "qemu">): string =>
    writeSnapshot({ ...facts, kvm: { usable: true, reason: "" }, qemu });
  const fromText = (name: string) =>
    complete(hostFromText(read(`${name}.lscpu.txt`), read(`${name}.numactl.txt`)));
  const fromFiles = async (name: string) =>
    complete(await discoverHost(fakeSystem(filesFromGrep(read(`${name}.sysfs.txt`)))));
  const models: Record<string, PciModel> = JSON.parse(read("pci-models.json"));
  const added = (name: string) => JSON.parse(read(`${name}.added.json`));
  const fromLstopo = (name: string) =>
    complete({
      ...hostFromLstopo(read(`${name}.lstopo.txt`), models, added(name)),
      firmware: added(name).firmware,
    });
  const fromLspci = (name: string) =>
    complete({
      ...hostFromText(read(`${name}.lscpu.txt`), read(`${name}.numactl.txt`)),
      ...pciFromLspci(read(`${name}.lspci.txt`), models, added(name)),
      firmware: added(name).firmware,
    });
  return {
    "ol8.json": fromText("ol8"),
    "anuma.json": fromText("anuma"),
    "laptop.json": await fromFiles("laptop"),
    "sparse.json": await fromFiles("sparse"),
    "hgx-h200.json": fromLstopo("hgx-h200"),
    "a100x-dpu.json": fromLspci("a100x-dpu"),
  };
}
