import { type Command, define, examples, seconds } from "../command.ts";
import { untilInterrupted } from "../signals.ts";

interface DownOptions {
  readonly json?: boolean;
  readonly force?: boolean;
  readonly timeout: number;
}

const how = {
  "powered-down": "powered down",
  quit: "was ended",
  killed: "was killed",
  cleaned: "ran no more; what it left is cleaned up",
};

export function addDown(program: Command): void {
  const command = program
    .command("down <name>")
    .summary("power a VM down")
    .description("Asks the guest to power down through ACPI; after the timeout QEMU is ended.")
    .addOption(
      program.createOption("--timeout <seconds>", "how long the guest gets").argParser(seconds).default(60),
    )
    .option("--force", "do not ask the guest")
    .addHelpText(
      "after",
      examples("qlaunch down gpu", "qlaunch down gpu --timeout 300", "qlaunch down gpu --force"),
    );
  define(command, async ({ system, terminal }, options: DownOptions, name: string) => {
    const { stopVm } = await import("../../actions/vm.ts");
    const { describeDuration } = await import("../../report/index.ts");
    const stopped = await untilInterrupted((signal) =>
      stopVm(system, name, {
        timeoutMs: options.timeout * 1000,
        force: options.force === true,
        emit: (event) => {
          // What a start did is taken back: that is what a stop is, and needs a line only where it fails.
          if (terminal.json || event.type !== "step-undone" || event.problem) terminal.emit(event);
        },
        signal,
      }),
    );
    if (terminal.json) return terminal.printJsonLine({ type: "result", ...stopped });
    terminal.print(`${name} ${how[stopped.how]}: ${describeDuration(stopped.elapsedMs)}`);
  });
}
