import { type Command, define, examples, seconds } from "../command.ts";
import { exitStatus } from "../exit.ts";
import { printDiagnostics } from "../problems.ts";

interface VerifyOptions {
  readonly json?: boolean;
  readonly timeout: number;
}

export function addVerify(program: Command): void {
  const command = program
    .command("verify <name>")
    .summary("compare what a guest sees with its plan")
    .description(
      "Asks the probe in a running guest for its nodes, its CPUs and its PCI devices, and puts them beside the plan that the VM was started from. Exit status 0 when all is the same.",
    )
    .addOption(
      program
        .createOption("--timeout <seconds>", "how long the guest gets to boot and answer")
        .argParser(seconds)
        .default(180),
    )
    .addHelpText(
      "after",
      examples("qlaunch verify demo", "qlaunch verify demo --json | jq '.rows[] | select(.same | not)'"),
    );
  define(command, async ({ system, terminal }, options: VerifyOptions, name: string) => {
    const { verifyVm } = await import("../../actions/verify.ts");
    const { renderJson, renderVerification } = await import("../../report/index.ts");
    const verification = await verifyVm(system, name, {
      timeoutMs: options.timeout * 1000,
      // One JSON document, and nothing else.
      emit: terminal.json ? () => {} : terminal.emit,
    });
    if (terminal.json) terminal.print(renderJson(verification));
    else {
      terminal.print(renderVerification(verification, terminal.style));
      printDiagnostics(terminal, verification.diagnostics);
    }
    return verification.same ? exitStatus.done : exitStatus.refused;
  });
}
