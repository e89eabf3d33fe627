import { execa } from "execa";

/** What the probe guest reports of itself; scripts/probe-guest makes it. */
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
  }[];
}

const reader = new URL("../../scripts/probe-report.mjs", import.meta.url).pathname;

/** Asks the guest behind a channel's socket; waits until it has booted. */
export async function askProbe(socket: string): Promise<ProbeReport> {
  const { stdout } = await execa("node", [reader, socket]);
  return JSON.parse(stdout) as ProbeReport;
}
