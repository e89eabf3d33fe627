import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import type { LiveVm } from "../../src/hotplug/live.ts";
import { raiseForDevices, raiseLockLimit } from "../../src/hotplug/memory-lock.ts";
import { realSystem } from "../../src/system/index.ts";

const gibibyte = 2 ** 30;
const started: (() => void)[] = [];
afterEach(() => {
  for (const end of started.splice(0)) end();
});

/** A process without rights of its own, as QEMU is when root gives them up. @param limit soft:hard */
async function processWith(limit: string): Promise<number> {
  const rights = realSystem.user.uid === 0 ? ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] : [];
  const child = spawn("prlimit", [`--memlock=${limit}`, ...rights, "sleep", "60"], { stdio: "ignore" });
  started.push(() => child.kill());
  const { pid = 0 } = child;
  await expect.poll(() => readFileSync(`/proc/${pid}/comm`, "utf8").trim()).toBe("sleep");
  return pid;
}

const limitOf = (pid: number) =>
  /^Max locked memory +(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.[1];

const raise = (pid: number, memoryBytes: number, system = realSystem) =>
  raiseLockLimit({ system, pid, name: "vm" }, memoryBytes);

it("is raised to the hard limit where that is enough", async ({ skip }) => {
  const own = /^Max locked memory +\S+ +(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  const hard = own === "unlimited" ? 8 * gibibyte : Number(own);
  if (hard < 2 * 2 ** 20) skip(`the hard limit here is ${hard} bytes`);
  const pid = await processWith(`65536:${hard}`);
  // QEMU needs a GiB beside the guest's memory.
  await raise(pid, hard - gibibyte);
  expect(limitOf(pid)).toBe(String(hard));
});

it("is left alone when it is high enough", async () => {
  const pid = await processWith("65536:65536");
  await raise(pid, 65_536 - gibibyte);
  expect(limitOf(pid)).toBe("65536");
});

// That those who may take it away do so is seen in the simulated host, where root has all rights.

it("is said to be too low where it cannot be raised", async () => {
  const { processes } = realSystem;
  const withoutRights: typeof processes.run = (program, words) =>
    realSystem.user.uid === 0
      ? processes.run("setpriv", ["--bounding-set=-all", program, ...words])
      : processes.run(program, words);
  const system = { ...realSystem, processes: { ...processes, run: withoutRights } };
  const pid = await processWith("65536:65536");
  await expect(raise(pid, gibibyte, system)).rejects.toMatchObject({
    diagnostics: [{ code: "HOST_LOCKED_MEMORY", found: "QEMU of vm may lock 64 KiB" }],
  });
});

it.each([
  ["once for all devices", [], "2 GiB"],
  ["once for each behind an IOMMU of the guest", [{ option: "device", driver: "intel-iommu" }], "6 GiB"],
])("counts memory %s", async (_, options, bytes) => {
  const run = async () => ({ exitCode: 1, signal: undefined, stdout: "", stderr: "" });
  const devices = ["gpu0", "gpu1"].map((name) => ({ name, type: "child<vfio-pci>" }));
  const live = {
    system: { ...realSystem, processes: { ...realSystem.processes, run } },
    name: "vm",
    pid: await processWith("65536:65536"),
    plan: { options, placement: { cells: [{ memoryBytes: gibibyte }] } },
    qmp: { execute: async (command: string) => (command === "qom-list" ? devices : []) },
  } as unknown as LiveVm;
  await expect(raiseForDevices(live, 1)).rejects.toMatchObject({
    diagnostics: [{ code: "HOST_LOCKED_MEMORY", needed: expect.stringContaining(`${bytes}, since`) }],
  });
});
