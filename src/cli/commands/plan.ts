import { type Command, define, examples } from "../command.ts";

const formats = ["shell", "argv", "json", "explain", "libvirt"] as const;

interface PlanOptions {
  readonly json?: boolean;
  readonly host?: string;
  readonly qemu?: string;
  readonly score?: boolean;
  readonly format: (typeof formats)[number];
}

export function addPlan(program: Command): void {
  const command = program
    .command("plan <profile>")
    .summary("show what would be started, touching nothing")
    .description("Plans a profile and prints the plan. Nothing is started, nothing is written.")
    .option("--host <snapshot>", "plan for the host of this snapshot instead of this machine")
    .option("--qemu <program>", "the QEMU program (default: $QLAUNCH_QEMU, else the installed one)")
    .addOption(
      program
        .createOption(
          "--format <format>",
          "shell: a command to run by hand; argv: one argument a line, byte-stable; json; explain: each decision with its rule, facts and source; libvirt: the domain XML of the same guest, which `qlaunch import` reads back",
        )
        .choices(formats)
        .default("shell"),
    )
    .option("--score", "say how well it lies on the host, with explain and json")
    .addHelpText(
      "after",
      examples(
        "qlaunch plan gpu.json",
        "qlaunch plan gpu.json --format explain --score | less",
        "qlaunch plan gpu.json --host rack7.json --format json | jq .placement",
        "qlaunch plan gpu.json --format libvirt > gpu.xml",
      ),
    );
  define(command, async ({ system, terminal }, options: PlanOptions, profileFile: string) => {
    const { planProfile } = await import("../../actions/plan.ts");
    const { p2pTable, planArgv, planLibvirt, planOptions, planScore, planShell } = await import(
      "../../actions/format-plan.ts"
    );
    const { renderDiagnostics, renderExplanation, renderPlanJson, renderScore } = await import(
      "../../report/index.ts"
    );
    const planned = await planProfile(system, {
      profileFile,
      snapshot: options.host,
      qemu: options.qemu,
      mayStart: false,
    });
    const { plan, warnings } = planned;
    const score = options.score ? planScore(planned) : undefined;
    terminal.printError(renderDiagnostics(warnings, terminal.errorStyle));
    switch (options.json ? "json" : options.format) {
      case "argv":
        return terminal.print(planArgv(plan));
      case "json":
        return terminal.print(renderPlanJson(plan, planArgv(plan), p2pTable(planned), score));
      case "libvirt": {
        const domain = await planLibvirt(planned);
        terminal.printError(renderDiagnostics(domain.warnings, terminal.errorStyle));
        return terminal.print(domain.lines);
      }
      case "explain":
        terminal.print(renderExplanation(plan, planOptions(plan), p2pTable(planned), terminal.style));
        if (score) terminal.print(["", ...renderScore(score, terminal.style)]);
        return;
      default:
        return terminal.print(planShell(plan));
    }
  });
}
