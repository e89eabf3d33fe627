import type { Command } from "commander";
import { define, examples } from "../command.ts";

interface HostOptions {
  readonly json?: boolean;
  readonly host?: string;
  readonly qemu?: string;
}

interface SnapshotOptions {
  readonly json?: boolean;
  readonly qemu?: string;
  readonly sysfs?: string;
}

const qemuOption = [
  "--qemu <program>",
  "the QEMU program (default: $QLAUNCH_QEMU, else the installed one)",
] as const;

export function addHost(program: Command): void {
  const host = program
    .command("host")
    .summary("show this machine, or write it down for planning elsewhere")
    .description("The host's CPUs, nodes, distances, memory, huge pages, PCI devices, KVM and QEMU.");
  const show = host
    .command("show", { isDefault: true })
    .summary("show this machine, or that of a snapshot")
    .description(
      "Shows processor, nodes with their CPUs and memory, distances, KVM, QEMU, and the PCIe tree: each device with its IOMMU group, its driver, and what this host needs it for.",
    )
    .option("--host <snapshot>", "the host of this snapshot instead of this machine")
    .option(...qemuOption)
    .addHelpText(
      "after",
      examples(
        "qlaunch host show",
        "qlaunch host show --host rack7.json",
        "qlaunch host show --json | jq .pci",
      ),
    );
  define(show, async ({ system, terminal }, options: HostOptions) => {
    const { takeSnapshot } = await import("../../actions/host.ts");
    const { renderHost, renderJson } = await import("../../report/index.ts");
    const facts = await takeSnapshot(system, { qemu: options.qemu, snapshot: options.host });
    terminal.print(terminal.json ? renderJson(facts) : renderHost(facts, terminal.style));
  });
  const snapshot = host
    .command("snapshot")
    .summary("print this machine as one JSON file")
    .description(
      "Prints what planning needs to know of this machine. Plans made from it elsewhere equal plans made here.",
    )
    .option(
      "--sysfs <folder>",
      "a machine whose /proc and /sys are in this folder, as hwloc-gather-topology --io packs them, with the QEMU of this one",
    )
    .option(...qemuOption)
    .addHelpText(
      "after",
      examples(
        "qlaunch host snapshot > rack7.json",
        "qlaunch plan gpu.json --host rack7.json",
        "qlaunch host snapshot --sysfs ./rack8 > rack8.json",
      ),
    );
  define(snapshot, async ({ system, terminal }, options: SnapshotOptions) => {
    const { takeGatheredSnapshot, takeSnapshot, snapshotText } = await import("../../actions/host.ts");
    const { qemu, sysfs } = options;
    const facts =
      sysfs === undefined
        ? await takeSnapshot(system, { qemu })
        : await takeGatheredSnapshot(system, { qemu, folder: sysfs });
    terminal.print(snapshotText(facts).trimEnd());
  });
}
