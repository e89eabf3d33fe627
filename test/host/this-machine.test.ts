import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { expect, it } from "vitest";
import { readSnapshot, writeSnapshot } from "../../src/host/elsewhere.ts";
import { discoverHost } from "../../src/host/index.ts";
import { realSystem } from "../../src/system/index.ts";

// Read by our readers and by util-linux or Node: both must see the same machine.
const host = await discoverHost(realSystem, { need: { pci: true } });

it("sees the CPUs that lscpu sees", () => {
  const table = execFileSync("lscpu", ["-a", "-y", "-p=CPU,ONLINE,NODE,SOCKET,CORE"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(","));
  expect(host.cpus.map((cpu) => [cpu.id, cpu.online])).toEqual(
    table.map(([id, online]) => [Number(id), online === "Y"]),
  );
  // lscpu leaves the node empty on a kernel without NUMA.
  for (const [id, online, node, socket, core] of table) {
    if (online !== "Y") continue;
    expect(host.cpus.find((cpu) => cpu.id === Number(id))).toMatchObject({
      node: Number(node || 0),
      socket: Number(socket),
      core: Number(core),
    });
  }
});

it("finds each online CPU in exactly one node", () => {
  const inNodes = host.nodes.flatMap((node) => node.cpus);
  const online = host.cpus.filter((cpu) => cpu.online).map((cpu) => cpu.id);
  expect([...inNodes].sort((a, b) => a - b)).toEqual(online);
});

it("sees the memory that Node sees", () => {
  if (host.nodes.length > 1) {
    const sum = host.nodes.reduce((total, node) => total + node.memoryBytes, 0);
    expect(Math.abs(sum - totalmem()) / totalmem()).toBeLessThan(0.1);
  } else {
    expect(host.nodes[0]?.memoryBytes).toBe(totalmem());
  }
  for (const node of host.nodes) expect(node.freeBytes).toBeLessThanOrEqual(node.memoryBytes);
});

it("sees the processor that /proc/cpuinfo shows", () => {
  const text = readFileSync("/proc/cpuinfo", "utf8");
  expect(text).toContain(`vendor_id\t: ${host.processor.vendor}`);
  expect(text).toContain(`address sizes\t: ${host.processor.physicalAddressBits} bits physical`);
});

it("sees the PCI functions that sysfs shows, file by file", () => {
  const folder = "/sys/bus/pci/devices";
  const shown = (address: string, name: string) =>
    readFileSync(`${folder}/${address}/${name}`, "utf8").trim().replace("0x", "");
  const addresses = existsSync(folder) ? readdirSync(folder).sort() : [];
  expect(
    host.pci?.map(({ address, vendor, device, ...rest }) => [address, vendor, device, rest.class]),
  ).toEqual(
    addresses.map((address) => [
      address,
      shown(address, "vendor"),
      shown(address, "device"),
      shown(address, "class"),
    ]),
  );
});

it("makes a valid snapshot of it", () => {
  expect(readSnapshot(writeSnapshot(host))).toEqual({ ok: true, value: host, warnings: [] });
});

it("tells nothing that names the machine", () => {
  const text = writeSnapshot(host);
  for (const path of ["/proc/sys/kernel/random/boot_id", "/etc/machine-id"]) {
    const secret = realSystem.files.tryReadText(path)?.trim();
    if (secret) expect(text).not.toContain(secret);
  }
});
