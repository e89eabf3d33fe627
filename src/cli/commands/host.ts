import { type Command, define, examples } from "../command.ts";

interface HostOptions {
  readonly json?: boolean;
  readonly host?: string;
  readonly qemu?: string;
}

interface SnapshotOptions {
  readonly json?: boolean;
  readonly qemu?: string;
  readonly sysfs?: string;
  readonly lstopo?: string;
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
      "Shows processor, nodes with their CPUs and memory, distances, KVM, QEMU, what running guests hold on each node, and the PCIe tree: each device with its IOMMU group, its driver, and what this host needs it for.",
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
    const { lookAtHost } = await import("../../actions/host.ts");
    const { renderHoldings, renderHost, renderJson } = await import("../../report/index.ts");
    const { host, holdings } = await lookAtHost(system, { qemu: options.qemu, snapshot: options.host });
    if (terminal.json) return terminal.print(renderJson({ ...host, holdings }));
    const held = renderHoldings(host, holdings, terminal.style);
    terminal.print(renderHost(host, terminal.style, held));
  });
  const snapshot = host
    .command("snapshot")
    .summary("print this machine as one JSON file")
    .description(
      "Prints what planning needs to know of this machine. Plans made from it elsewhere equal plans made here.",
    )
    .addOption(
      host
        .createOption(
          "--sysfs <folder>",
          "a machine whose /proc and /sys are in this folder, as hwloc-gather-topology --io packs them, with the QEMU of this one",
        )
        .conflicts("lstopo"),
    )
    .addOption(
      host.createOption(
        "--lstopo <file>",
        "a machine that lstopo --of xml --whole-io wrote about; BARs, drivers and IOMMU groups are not in it",
      ),
    )
    .option(...qemuOption)
    .addHelpText(
      "after",
      examples(
        "qlaunch host snapshot > rack7.json",
        "qlaunch plan gpu.json --host rack7.json",
        "qlaunch host snapshot --sysfs ./rack8 > rack8.json",
        "qlaunch host snapshot --lstopo rack9.xml > rack9.json",
      ),
    );
  define(snapshot, async ({ system, terminal }, options: SnapshotOptions) => {
    const { takeSnapshot } = await import("../../actions/host.ts");
    const { takeSnapshotElsewhere, snapshotText } = await import("../../actions/host-elsewhere.ts");
    const { renderDiagnostics } = await import("../../report/index.ts");
    const { qemu, sysfs, lstopo } = options;
    const source = sysfs !== undefined ? { folder: sysfs } : lstopo !== undefined ? { lstopo } : undefined;
    const { host: facts, warnings } =
      source === undefined
        ? { host: await takeSnapshot(system, { qemu }), warnings: [] }
        : await takeSnapshotElsewhere(system, source, { qemu });
    terminal.printError(renderDiagnostics(warnings, terminal.errorStyle));
    terminal.print(snapshotText(facts).trimEnd());
  });
}
