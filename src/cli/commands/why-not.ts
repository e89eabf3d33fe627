import { type Command, define, examples } from "../command.ts";
import { exitStatus } from "../exit.ts";

interface WhyNotOptions {
  readonly json?: boolean;
  readonly qemu?: string;
}

export function addWhyNot(program: Command): void {
  const command = program
    .command("why-not <profile>")
    .summary("the fewest things that stand in the way of a start")
    .description(
      "Says which running guests, or which wishes of the profile, would have to go so that it fits on this machine: the fewest that will do, and the alternatives. Nothing is started, nothing is ended.",
    )
    .option("--qemu <program>", "the QEMU program (default: $QLAUNCH_QEMU, else the installed one)")
    .addHelpText("after", examples("qlaunch why-not gpu.json", "qlaunch why-not gpu.json --json | jq .sets"));
  define(command, async ({ system, terminal }, options: WhyNotOptions, profileFile: string) => {
    const { explainWhyNot } = await import("../../actions/plan.ts");
    const { renderJson, renderWhyNot } = await import("../../report/index.ts");
    const { name, answer } = await explainWhyNot(system, {
      profileFile,
      qemu: options.qemu,
      mayStart: false,
    });
    terminal.print(terminal.json ? renderJson(answer) : renderWhyNot(name, answer, terminal.style));
    return answer.kind === "fits" ? exitStatus.done : exitStatus.refused;
  });
}
