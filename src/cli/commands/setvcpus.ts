import { type Command, define, examples } from "../command.ts";
import { addLiveFlags, type LiveFlags, withLiveFlags } from "../live.ts";

interface SetVcpusFlags extends LiveFlags {
  readonly spread: "balanced" | "tail";
  readonly vcpu?: string;
}

export function addSetVcpus(program: Command): void {
  const command = program
    .command("setvcpus <name> [count]")
    .summary("give a running VM more or fewer vCPUs")
    .description(
      "Adds or removes vCPUs of a running VM. Each new thread is put on its planned host CPUs and read back; the guest is asked for those that leave. --vcpu names all that the guest has afterwards; then the count may be left out.",
    )
    .addOption(
      program
        .createOption(
          "--spread <how>",
          "which ones come and go: cells stay level and cores whole, or by number",
        )
        .choices(["balanced", "tail"])
        .default("balanced"),
    )
    .option("--vcpu <ids>", "the vCPUs that the guest has afterwards, such as 0-3,8");
  addLiveFlags(command).addHelpText(
    "after",
    examples(
      "qlaunch setvcpus gpu 16",
      "qlaunch setvcpus gpu 8 --spread tail --timeout 120",
      "qlaunch setvcpus gpu --vcpu 0-3,8-11",
    ),
  );
  define(
    command,
    async ({ system, terminal }, flags: SetVcpusFlags, name: string, count: string | undefined) => {
      const { changeVcpus } = await import("../../actions/live-vcpus.ts");
      const { renderSetVcpus } = await import("../../report/index.ts");
      const request = { count, vcpus: flags.vcpu, spread: flags.spread };
      const outcome = await withLiveFlags(terminal, flags, (options) =>
        changeVcpus(system, name, request, options),
      );
      if (terminal.json) return terminal.printJsonLine({ type: "result", ...outcome });
      terminal.print(renderSetVcpus(outcome));
    },
  );
}
