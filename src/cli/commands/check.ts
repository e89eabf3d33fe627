import { type Command, define, examples } from "../command.ts";
import { exitStatus } from "../exit.ts";
import { printDiagnostics } from "../problems.ts";

interface CheckOptions {
  readonly json?: boolean;
  readonly host?: string;
  readonly qemu?: string;
}

export function addCheck(program: Command): void {
  const command = program
    .command("check <profile>")
    .summary("every reason that a start would fail or be slow")
    .description("Looks at the profile, the host, files, programs and rights; starts and changes nothing.")
    .option("--host <snapshot>", "check against this snapshot; files and rights are then not looked at")
    .option("--qemu <program>", "the QEMU program (default: $QLAUNCH_QEMU, else the installed one)")
    .addHelpText(
      "after",
      examples("qlaunch check gpu.json", "qlaunch check gpu.json --json | jq -r '.diagnostics[].fix'"),
    );
  define(command, async ({ system, terminal }, options: CheckOptions, profileFile: string) => {
    const { checkProfile } = await import("../../actions/start.ts");
    const { planLeftOver, planTaking } = await import("../../actions/format-plan.ts");
    const { renderLeftOver, renderTaking } = await import("../../report/index.ts");
    const { planned, diagnostics } = await checkProfile(system, {
      profileFile,
      snapshot: options.host,
      qemu: options.qemu,
      mayStart: false,
    });
    if (terminal.json || diagnostics.length > 0) printDiagnostics(terminal, diagnostics);
    const failed = diagnostics.some((diagnostic) => diagnostic.severity === "error");
    if (!terminal.json && !failed) {
      const left = renderLeftOver(planLeftOver(planned), terminal.style);
      const taking = planTaking(planned);
      terminal.print([
        `${profileFile} can be started, and leaves`,
        "",
        ...left,
        ...(taking ? ["", renderTaking(taking)] : []),
      ]);
    }
    return failed ? exitStatus.refused : exitStatus.done;
  });
}
