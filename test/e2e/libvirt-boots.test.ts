import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { bootable, withProbe } from "../libvirt/bootable.ts";
import { pairOf } from "../libvirt/pairs.ts";
import { openLibvirt } from "../libvirt/private-libvirt.ts";
import { askProbe, type ProbeReport } from "../rig/probe.ts";

const qemu = "/usr/bin/qemu-system-x86_64";

/**
 * Those of which the two command lines differ most while the guest shall see the same: where PCI bridges, cells, vCPUs
 * and controllers are said in other words, in another order or by other means. Devices that the profile does not have
 * are left to the comparison of command lines.
 */
const names = [
  ...["expanders", "nested-switches", "root-ports", "numatune-cells", "distances"],
  ...["vcpus-current", "disks-virtio", "disks-scsi", "iothreads", "boot-order"],
];

describe("a guest that libvirt would start", () => {
  const libvirt = openLibvirt(qemu);
  afterAll(() => libvirt.close());

  it.each(names)("%s has its PCI addresses, nodes and CPUs from qlaunch too", async (name) => {
    const pair = await pairOf(libvirt, name, withProbe);
    const theirs = await boot(pair.libvirt);
    // Distances of the host's nodes are an improvement, which the report tells.
    const distances = pair.report.some(({ note }) => note.includes("have the distances"));
    expect(seen(await boot(pair.ours), distances)).toEqual(seen(theirs, distances));
  });
});

/** What must be equal. Of memory the kernel takes some for itself, by where it lies. */
function seen({ nodes, cpus, topology, pci }: ProbeReport, isBetter: boolean) {
  return {
    nodes: nodes.map(({ id, cpus: own, memoryKiB, distances }) => ({
      ...{ id, cpus: own, memory: Math.round(memoryKiB / 2 ** 14) },
      distances: isBetter ? [] : distances,
    })),
    ...{ cpus, topology },
    pci: pci.map(({ address, class: kind, vendor, device, numaNode, parent }) => ({
      ...{ address, kind, vendor, device, numaNode, parent },
    })),
  };
}

/** Starts it and asks it; a guest that stands still in its early boot is started once more, as without KVM it may. */
async function boot(argv: readonly string[]): Promise<ProbeReport> {
  try {
    return await bootOnce(argv);
  } catch (error) {
    console.warn(`a guest did not report, and is started once more: ${error}`);
    return bootOnce(argv);
  }
}

async function bootOnce(argv: readonly string[]): Promise<ProbeReport> {
  const folder = mkdtempSync(join(tmpdir(), "qlaunch-boot-"));
  const { argv: startable, socket } = bootable(argv, folder);
  const child = spawn(qemu, startable, { stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  child.stderr.on("data", (chunk) => {
    words += chunk;
  });
  const ended = new Promise<never>((_, reject) => {
    child.once("exit", (code) => reject(new Error(`QEMU ended with ${code}: ${words}`)));
  });
  try {
    return await Promise.race([listened(socket).then(() => askProbe(socket, 120)), ended]);
  } finally {
    child.removeAllListeners("exit");
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** QEMU makes its sockets while it starts. */
async function listened(socket: string): Promise<void> {
  while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 50));
}
