import { type Command, define, examples } from "../command.ts";

interface NcclOptions {
  readonly json?: boolean;
  readonly host?: string;
  readonly qemu?: string;
  readonly topoFile?: string;
  readonly force?: boolean;
}

export function addNccl(program: Command): void {
  const command = program
    .command("nccl <profile|name>")
    .summary("what nvidia-smi and NCCL will say in the guest")
    .description(
      "Predicts, for a profile or for a VM by its name, what `nvidia-smi topo -m` and NCCL will say in the guest of each pair of passed-through GPUs and NICs, beside what they say on the host. Can write the topology file that gives NCCL the host's switches and link speeds under the guest's addresses.",
    )
    .option("--host <snapshot>", "the host of this snapshot instead of this machine")
    .option("--qemu <program>", "the QEMU program (default: $QLAUNCH_QEMU, else the installed one)")
    .option("--topo-file <file>", "write NCCL's topology file, for NCCL_TOPO_FILE in the guest")
    .option("--force", "write over the file of --topo-file")
    .addHelpText(
      "after",
      examples(
        "qlaunch nccl gpu.json",
        "qlaunch nccl gpu.json --host rack7.json --topo-file topo.xml",
        "qlaunch nccl gpu --json | jq '.pairs[] | select(.guest != .host)'",
      ),
    );
  define(command, async ({ system, terminal }, options: NcclOptions, of: string) => {
    const { predictTopology } = await import("../../actions/nccl.ts");
    const { renderDiagnostics, renderJson, renderNccl } = await import("../../report/index.ts");
    const { warnings, ...prediction } = await predictTopology(system, {
      of,
      snapshot: options.host,
      qemu: options.qemu,
      topoFile: options.topoFile,
      force: options.force === true,
    });
    terminal.printError(renderDiagnostics(warnings, terminal.errorStyle));
    if (terminal.json) return terminal.print(renderJson(prediction));
    terminal.print(renderNccl(prediction, terminal.style));
    if (options.topoFile !== undefined) {
      terminal.print(`${options.topoFile} is written: in the guest, NCCL_TOPO_FILE=${options.topoFile}`);
    }
  });
}
