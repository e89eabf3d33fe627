import { type Command, define, examples } from "../command.ts";
import { untilInterrupted } from "../signals.ts";
import { version } from "../version.ts";

interface UpOptions {
  readonly json?: boolean;
  readonly paused?: boolean;
  readonly qemu?: string;
}

export function addUp(program: Command): void {
  const command = program
    .command("up <profile>")
    .summary("plan, start, pin and read back a VM")
    .description(
      "Starts a VM in the background. Its threads are pinned and its memory is read back before the guest runs. A start that fails undoes all it did. With devices of large BARs it looks for some seconds whether the firmware found addresses for them.",
    )
    .option("--paused", "stop before the guest's first instruction; `qlaunch resume` goes on")
    .option("--qemu <program>", "the QEMU program (default: $QLAUNCH_QEMU, else the installed one)")
    .addHelpText("after", examples("qlaunch up gpu.json", "qlaunch up gpu.json --paused --json"));
  define(command, async ({ system, terminal }, options: UpOptions, profileFile: string) => {
    const { startProfile } = await import("../../actions/start.ts");
    const { describeDuration } = await import("../../report/index.ts");
    const vm = await untilInterrupted((signal) =>
      startProfile(system, {
        profileFile,
        qemu: options.qemu,
        paused: options.paused === true,
        emit: terminal.emit,
        signal,
        version,
      }),
    );
    if (terminal.json) return terminal.printJsonLine({ type: "result", ...vm });
    terminal.print(
      `${vm.name} ${vm.paused ? "is paused" : "runs"}: pid ${vm.pid}, ${describeDuration(vm.elapsedMs)}`,
    );
  });
}
