import { execa } from "execa";
import type { Cli } from "./cli.ts";

/** What the probe guest reports of itself; src/rehearse/guest/probe makes it. */
export interface ProbeReport {
  readonly nodes: readonly { id: number; cpus: string; memoryKiB: number; distances: number[] }[];
  readonly cpus: { online: string; present: string; possible: string };
  readonly topology: readonly { cpu: number; socket: number; core: number; siblings: string }[];
  readonly pci: readonly {
    address: string;
    class: string;
    vendor: string;
    device: string;
    numaNode: number;
    parent: string;
    driver: string | null;
    /** Lines of the `resource` file that are not empty. */
    resources: readonly { index: number; start: string; end: string }[];
  }[];
}

const reader = new URL("../../scripts/probe-report.mjs", import.meta.url).pathname;

/** Asks the guest behind a channel's socket; waits until it has booted. */
export async function askProbe(socket: string, timeoutSeconds = 180): Promise<ProbeReport> {
  const { stdout } = await execa("node", [reader, socket, "--timeout", String(timeoutSeconds)]);
  return JSON.parse(stdout) as ProbeReport;
}

/** How often a guest is started before it counts as one that does not boot. */
const mostBoots = 3;

/**
 * Starts a guest and waits for its report. TCG loses a wake-up now and then when it has many vCPUs on few busy CPUs,
 * and then a guest stands still in its early boot, or QEMU falls; such a boot is told and tried again.
 */
export async function bootProbe(
  cli: Cli,
  profile: string,
  name: string,
  channel = "channel0",
): Promise<ProbeReport> {
  const socket = `${cli.root}/${name}/qemu/${channel}.sock`;
  for (let boot = 1; ; boot++) {
    await cli.ok("up", profile);
    try {
      return await askProbe(socket, 150);
    } catch (error) {
      if (boot === mostBoots) throw error;
      const said = await cli.run("logs", name, "--source", "console");
      const qemu = await cli.run("logs", name);
      console.warn(
        `${name} did not report (${error}); it is started once more. Its console:\n${said.stdout.slice(-2000)}\nQEMU:\n${qemu.stdout.slice(-2000)}`,
      );
      await cli.ok("down", name, "--force");
    }
  }
}
