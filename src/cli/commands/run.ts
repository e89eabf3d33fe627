import { type Command, define, examples } from "../command.ts";
import { exitStatus } from "../exit.ts";
import { untilInterrupted } from "../signals.ts";
import { version } from "../version.ts";

interface RunOptions {
  readonly json?: boolean;
  readonly qemu?: string;
}

export function addRun(program: Command): void {
  const command = program
    .command("run <profile>")
    .summary("start a VM and stay until it ends")
    .description(
      "Like up, in the foreground: for systemd and containers. SIGTERM and SIGINT power the guest down, a second one ends QEMU; the exit status follows QEMU's.",
    )
    .option("--qemu <program>", "the QEMU program (default: $QLAUNCH_QEMU, else the installed one)")
    .addHelpText(
      "after",
      examples("qlaunch run gpu.json", "ExecStart=/usr/bin/qlaunch run /etc/qlaunch/gpu.json"),
    );
  define(command, async ({ system, terminal }, options: RunOptions, profileFile: string) => {
    const { runProfile } = await import("../../actions/start.ts");
    const exit = await untilInterrupted((signal, second) =>
      runProfile(system, {
        profileFile,
        qemu: options.qemu,
        paused: false,
        emit: terminal.emit,
        // Until it runs, a signal undoes the start; from then on it powers the guest down.
        signal,
        stop: signal,
        stopNow: second,
        version,
      }),
    );
    if (terminal.json) terminal.printJsonLine({ type: "result", ...exit });
    return exit.exitCode === 0 ? exitStatus.done : exitStatus.refused;
  });
}
