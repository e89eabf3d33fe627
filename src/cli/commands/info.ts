import { type Command, define, examples } from "../command.ts";

interface InfoOptions {
  readonly json?: boolean;
  readonly drift?: boolean;
}

export function addInfo(program: Command): void {
  const command = program
    .command("info <name>")
    .summary("show one VM")
    .description(
      "Shows a VM's state, process, sockets, consoles and cells, and PCI devices that the firmware gave no address.",
    )
    .option("--drift", "list what differs from the plan that it was started from")
    .addHelpText(
      "after",
      examples(
        "qlaunch info gpu",
        "qlaunch info gpu --drift",
        "qlaunch info gpu --json | jq -r .monitorSocket",
      ),
    );
  define(command, async ({ system, terminal }, options: InfoOptions, name: string) => {
    if (options.drift) {
      const { vmDrift } = await import("../../actions/live-vcpus.ts");
      const { renderDrift, renderJson } = await import("../../report/index.ts");
      const drift = await vmDrift(system, name);
      return terminal.print(terminal.json ? renderJson(drift) : renderDrift(drift, terminal.style));
    }
    const { describeVm } = await import("../../actions/vm.ts");
    const { renderJson, renderVm } = await import("../../report/index.ts");
    const vm = await describeVm(system, name);
    terminal.print(terminal.json ? renderJson(vm) : renderVm(vm, terminal.style));
  });
}
