import { type Command, define, examples } from "../command.ts";

export function addVfio(program: Command): void {
  const vfio = program
    .command("vfio")
    .summary("devices of this host that guests can be given")
    .description(
      "Which devices there are, and the driver vfio-pci for them. A VM binds its devices itself, and gives them back: bind and unbind are for those who want to do it beforehand.",
    );
  addList(vfio);
  addBind(vfio);
  addUnbind(vfio);
}

function addList(vfio: Command): void {
  const command = vfio
    .command("list", { isDefault: true })
    .summary("list devices by IOMMU group")
    .description(
      "Lists the devices that guests can be given, with their IOMMU group, node and driver, the VM that has them, and what this host needs them for.",
    )
    .option("--all", "ports, bridges and functions of the board as well")
    .addHelpText(
      "after",
      examples("qlaunch vfio list", `qlaunch vfio list --json | jq '.[] | select(.vm == null) | .address'`),
    );
  define(command, async ({ system, terminal }, flags: { json?: boolean; all?: boolean }) => {
    const { listHostFunctions } = await import("../../actions/vfio.ts");
    const { renderHostFunctions, renderJson } = await import("../../report/index.ts");
    const functions = listHostFunctions(system, { all: flags.all === true });
    terminal.print(terminal.json ? renderJson(functions) : renderHostFunctions(functions, terminal.style));
  });
}

function addBind(vfio: Command): void {
  const command = vfio
    .command("bind <address...>")
    .summary("take devices from their drivers for guests")
    .description(
      "Binds devices to vfio-pci, all or none. Those of an IOMMU group go together; what a VM has or this host needs is refused. A VM leaves them on vfio-pci when it ends.",
    )
    .addHelpText("after", examples("qlaunch vfio bind 0000:19:00.0", "qlaunch vfio bind 19:00.0 19:00.1"));
  define(command, async ({ system, terminal }, _flags: { json?: boolean }, addresses: string[]) => {
    const { bindFunctions } = await import("../../actions/vfio.ts");
    const { renderDriverChanges } = await import("../../report/index.ts");
    const functions = await bindFunctions(system, addresses, terminal.emit);
    if (terminal.json) return terminal.printJsonLine({ type: "result", functions });
    terminal.print(renderDriverChanges(functions));
  });
}

function addUnbind(vfio: Command): void {
  const command = vfio
    .command("unbind <address...>")
    .summary("give devices on vfio-pci back to this host")
    .description(
      "Takes devices from vfio-pci, all or none, and lets the kernel find a driver for each. What a VM has is refused.",
    )
    .addHelpText("after", examples("qlaunch vfio unbind 0000:19:00.0"));
  define(command, async ({ system, terminal }, _flags: { json?: boolean }, addresses: string[]) => {
    const { unbindFunctions } = await import("../../actions/vfio.ts");
    const { renderDriverChanges } = await import("../../report/index.ts");
    const functions = await unbindFunctions(system, addresses, terminal.emit);
    if (terminal.json) return terminal.printJsonLine({ type: "result", functions });
    terminal.print(renderDriverChanges(functions));
  });
}
