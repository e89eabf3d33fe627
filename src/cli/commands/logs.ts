import { type Command, define, examples } from "../command.ts";

interface LogsOptions {
  readonly json?: boolean;
  readonly source: "qemu" | "qmp" | "console";
  readonly console?: string;
}

export function addLogs(program: Command): void {
  const command = program
    .command("logs <name>")
    .summary("print QEMU's log, the monitor's or a console's")
    .description(
      "Prints what QEMU said. The other sources are the transcript of qlaunch's monitor and a console's output.",
    )
    .addOption(
      program
        .createOption("--source <source>", "what to print")
        .choices(["qemu", "qmp", "console"])
        .default("qemu"),
    )
    .option("--console <id>", "which console (default: the first)")
    .addHelpText(
      "after",
      examples(
        "qlaunch logs gpu",
        "qlaunch logs gpu --source console",
        "qlaunch logs gpu --source qmp | tail",
      ),
    );
  define(command, async ({ system, terminal }, options: LogsOptions, name: string) => {
    const { readVmLog } = await import("../../actions/vm.ts");
    const text = readVmLog(system, name, options);
    if (terminal.json) return terminal.printJsonLine({ name, source: options.source, text });
    process.stdout.write(text);
  });
}
