import { type Command, define, examples } from "../command.ts";

export function addPs(program: Command): void {
  const command = program
    .command("ps")
    .summary("list the VMs")
    .description("Lists the VMs of this user, those among them that ended or whose start was cut off.")
    .addHelpText(
      "after",
      examples("qlaunch ps", "qlaunch ps --json | jq -r '.[] | select(.state == \"running\") | .name'"),
    );
  define(command, async ({ system, terminal }) => {
    const { listVms } = await import("../../actions/vm.ts");
    const { renderJson, renderVms } = await import("../../report/index.ts");
    const vms = await listVms(system);
    terminal.print(terminal.json ? renderJson(vms) : renderVms(vms, terminal.style));
  });
}
