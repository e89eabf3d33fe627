import type { Command } from "commander";
import { define, examples } from "../command.ts";

export function addInfo(program: Command): void {
  const command = program
    .command("info <name>")
    .summary("show one VM")
    .description("Shows a VM's state, process, sockets, consoles and cells.")
    .addHelpText("after", examples("qlaunch info gpu", "qlaunch info gpu --json | jq -r .monitorSocket"));
  define(command, async ({ system, terminal }, _options: { json?: boolean }, name: string) => {
    const { describeVm } = await import("../../actions/vm.ts");
    const { renderJson, renderVm } = await import("../../report/index.ts");
    const vm = await describeVm(system, name);
    terminal.print(terminal.json ? renderJson(vm) : renderVm(vm, terminal.style));
  });
}
