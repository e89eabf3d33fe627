import { type Command, define, examples, seconds } from "../command.ts";
import { exitStatus } from "../exit.ts";
import { ownProgram } from "../own-program.ts";
import { printDiagnostics, reportProblem } from "../problems.ts";
import { untilInterrupted } from "../signals.ts";
import { openTerminal } from "../terminal.ts";
import { version } from "../version.ts";

const insideCommand = "__rehearse";

interface RehearseOptions {
  readonly json?: boolean;
  readonly host?: string;
  readonly qemu?: string;
  readonly timeout: number;
  readonly kernel?: string;
  readonly keep?: boolean;
}

export function addRehearse(program: Command): void {
  const command = program
    .command("rehearse <profile>")
    .summary("try a profile out on a simulated host")
    .description(
      "Makes a small host from a snapshot: its nodes, its distances, the PCIe tree of the devices that the profile wants, with stand-ins for them. Boots it, runs the profile there with real VFIO and KVM, asks the guest what it sees, and compares that with the plan. Needs no hardware. Exit status 0 when all is the same.",
    )
    .option("--host <snapshot>", "the host to simulate (default: this machine)")
    .option(
      "--qemu <program>",
      "the QEMU program of the guest (default: $QLAUNCH_QEMU, else the installed one)",
    )
    .option(
      "--kernel <folder>",
      "a kernel to boot: a folder with boot/ and lib/modules/ (default: this system's)",
    )
    .addOption(
      program
        .createOption("--timeout <seconds>", "how long all on the simulated host may take")
        .argParser(seconds)
        .default(600),
    )
    .option("--keep", "leave the profiles and logs in a folder")
    .addHelpText(
      "after",
      examples(
        "qlaunch rehearse gpu.json --host hgx.json",
        "qlaunch rehearse gpu.json --host hgx.json --json | jq -r 'select(.type == \"result\").same'",
      ),
    );
  define(command, async ({ system, terminal }, options: RehearseOptions, profileFile: string) => {
    const { rehearseProfile } = await import("../../actions/rehearse.ts");
    const { renderVerification } = await import("../../report/index.ts");
    const rehearsal = await untilInterrupted((signal) =>
      rehearseProfile(system, {
        profileFile,
        snapshot: options.host,
        qemu: options.qemu,
        kernelFolder: options.kernel,
        timeoutMs: options.timeout * 1000,
        keep: options.keep === true,
        emit: terminal.emit,
        signal,
        version,
        program: [...ownProgram(system), insideCommand],
      }),
    );
    if (terminal.json) terminal.printJsonLine({ type: "result", ...rehearsal });
    else {
      terminal.print(renderVerification(rehearsal, terminal.style));
      printDiagnostics(terminal, rehearsal.diagnostics);
    }
    return rehearsal.same ? exitStatus.done : exitStatus.refused;
  });
}

/** What runs on the simulated host, speaking JSON lines to the program outside; and the maker of what these boot. */
export function addRehearsalParts(program: Command): void {
  program.command(`${insideCommand} <assignment>`, { hidden: true }).action(async (assignment: string) => {
    const { rehearseInside } = await import("../../actions/rehearse-inside.ts");
    const { realSystem } = await import("../../system/index.ts");
    const { renderJsonEvent } = await import("../../report/index.ts");
    const print = (line: string) => process.stdout.write(`${line}\n`);
    const report = await untilInterrupted((signal) =>
      rehearseInside(realSystem, assignment, {
        emit: (event) => print(renderJsonEvent(event)),
        signal,
        version,
      }),
    );
    print(JSON.stringify(report));
  });

  program
    .command("__talk <folder> <job> <seconds>", { hidden: true })
    .action(async (folder: string, jobFile: string, duration: string) => {
      const { talkInFolder } = await import("../../actions/talk.ts");
      const { realSystem } = await import("../../system/index.ts");
      const onOutput = (piece: Buffer) => void process.stdout.write(piece);
      const given = { folder, jobFile, seconds: seconds(duration), onOutput };
      const { status, words } = await talkInFolder(realSystem, given);
      if (words.length > 0) process.stderr.write(`${words.join("\n")}\n`);
      process.exitCode = status;
    });

  program
    .command("__images <folder> <kernel> [files...]", { hidden: true })
    .action(async (folder: string, kernelFolder: string, files: string[]) => {
      const { makeImages } = await import("../../actions/images.ts");
      const { realSystem } = await import("../../system/index.ts");
      const terminal = await openTerminal(false);
      try {
        await makeImages(realSystem, {
          folder,
          kernelFolder,
          guestFiles: files.map(guestFile),
          emit: terminal.emit,
        });
      } catch (error) {
        process.exitCode = reportProblem(terminal, error);
      }
    });
}

/** "SOURCE=TARGET": a file of this machine and its place in the guest. */
function guestFile(text: string): { source: string; target: string } {
  const [source = "", target = source] = text.split("=");
  return { source, target };
}
