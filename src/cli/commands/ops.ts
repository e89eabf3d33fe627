import { type Command, define, examples } from "../command.ts";
import { addLiveFlags, type LiveFlags, withLiveFlags } from "../live.ts";

export function addOps(program: Command): void {
  const ops = program
    .command("ops")
    .summary("list, resume and cancel what was asked of a VM")
    .description("Changes of a running VM: how far each is, and what it waits for.");
  addList(ops);
  addResume(ops);
  addCancel(ops);
}

function addList(ops: Command): void {
  const command = ops
    .command("list <name>", { isDefault: true })
    .summary("list them")
    .description(
      "Lists the operations of a VM, oldest first. requested: nothing is done yet; accepted: QEMU took the commands; acted: QEMU's own list has changed; online: the guest runs it; placed: pinned or bound, and read back.",
    )
    .addHelpText("after", examples("qlaunch ops gpu", "qlaunch ops gpu --json | jq '.[-1].state'"));
  define(command, async ({ system, terminal }, _flags: { json?: boolean }, name: string) => {
    const { listVmOperations } = await import("../../actions/operations.ts");
    const { renderJson, renderOperations } = await import("../../report/index.ts");
    const operations = listVmOperations(system, name);
    terminal.print(terminal.json ? renderJson(operations) : renderOperations(operations, terminal.style));
  });
}

function addResume(ops: Command): void {
  const command = ops
    .command("resume <name> [id]")
    .summary("go on with one, or with all that are pending")
    .description("Goes on from wherever QEMU is: finishes what is left, and waits for the guest.");
  addLiveFlags(command).addHelpText("after", examples("qlaunch ops resume gpu", "qlaunch ops resume gpu 3"));
  define(command, async ({ system, terminal }, flags: LiveFlags, name: string, id: string | undefined) => {
    const { resumeVmOperations } = await import("../../actions/operations.ts");
    const { renderOperation } = await import("../../report/index.ts");
    const operations = await withLiveFlags(terminal, flags, (options) =>
      resumeVmOperations(system, name, id, options),
    );
    if (terminal.json) return terminal.printJsonLine({ type: "result", operations });
    terminal.print(operations.length === 0 ? "no operation is pending" : operations.map(renderOperation));
  });
}

function addCancel(ops: Command): void {
  const command = ops
    .command("cancel <name> <id>")
    .summary("take one back, where QEMU can")
    .description(
      "Gives up a pending operation. What QEMU can take back is taken back; what the guest was asked for it may still do.",
    );
  addLiveFlags(command).addHelpText("after", examples("qlaunch ops cancel gpu 3"));
  define(command, async ({ system, terminal }, flags: LiveFlags, name: string, id: string) => {
    const { cancelVmOperation } = await import("../../actions/operations.ts");
    const { renderOperation } = await import("../../report/index.ts");
    const operation = await withLiveFlags(terminal, flags, (options) =>
      cancelVmOperation(system, name, id, options),
    );
    if (terminal.json) return terminal.printJsonLine({ type: "result", operation });
    terminal.print(renderOperation(operation));
  });
}
