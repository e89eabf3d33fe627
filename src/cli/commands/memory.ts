import { addParts, type Command, define, examples } from "../command.ts";
import { addLiveFlags, type LiveFlags, withLiveFlags } from "../live.ts";

interface AddFlags extends LiveFlags {
  readonly size: string;
  readonly cell?: string;
  readonly kind: "dimm" | "virtio-mem" | "nvdimm";
  readonly id?: string;
  readonly pageSize?: string;
  readonly requested?: string;
  readonly path?: string;
  readonly labelSize?: string;
  readonly align?: string;
  readonly pmem?: boolean;
  readonly unarmed?: boolean;
  readonly bus?: string;
}

export function addMemory(program: Command, part?: string): void {
  const memory = program
    .command("memory")
    .summary("add, remove, resize and list memory while a VM runs")
    .description("Memory that comes and goes while the guest runs, bound to the host nodes of its cell.");
  addParts(memory, { add: addAdd, remove: addRemove, resize: addResize, list: addList }, part);
}

function addAdd(memory: Command): void {
  const command = memory
    .command("add <name>")
    .summary("give a running VM memory")
    .description(
      "Adds a memory device. Its backend is bound as the cell is and read back from /proc before the guest sees it. A guest takes memory in blocks, 128 MiB mostly, and has to bring them online.",
    )
    .requiredOption("--size <size>", "how much, such as 32G")
    .option("--cell <number>", "the guest's NUMA cell (default: 0)")
    .addOption(
      memory
        .createOption(
          "--kind <kind>",
          "dimm: all there or not; virtio-mem: grows and shrinks; nvdimm: a file or DAX device",
        )
        .choices(["dimm", "virtio-mem", "nvdimm"])
        .default("dimm"),
    )
    .option("--id <id>", "its name (default: a free one, such as dimm0)")
    .option("--page-size <size>", "host pages, such as 1G (default: as in the profile)")
    .option("--requested <size>", "virtio-mem: what the guest has of it at once (default: all)")
    .option("--bus <port>", "virtio-mem: the hot-plug port (default: a spare one)")
    .option("--path <file>", "nvdimm: the file or the DAX device")
    .option("--label-size <size>", "nvdimm: room for labels, 128K or more (default: no labels)")
    .option("--align <size>", "nvdimm: alignment that the device needs, such as 2M")
    .option("--pmem", "nvdimm: the path is real persistent memory")
    .option("--unarmed", "nvdimm: the guest only reads");
  addLiveFlags(command).addHelpText(
    "after",
    examples(
      "qlaunch memory add gpu --size 32G --cell 1",
      "qlaunch memory add gpu --size 64G --cell 0 --page-size 1G --id extra",
      "qlaunch memory add gpu --kind virtio-mem --size 128G --requested 16G",
      "qlaunch memory add gpu --kind nvdimm --path /dev/dax0.0 --size 16G --label-size 128K --align 2M --pmem",
    ),
  );
  define(command, async ({ system, terminal }, flags: AddFlags, name: string) => {
    const { addMemoryDevice } = await import("../../actions/live-memory.ts");
    const { renderMemoryAdded } = await import("../../report/index.ts");
    const { size, kind, cell, id, pageSize, requested, path, labelSize, align, bus } = flags;
    const request = {
      ...{ size, kind, cell, id, pageSize, requested, path, labelSize, align, bus },
      pmem: flags.pmem === true,
      unarmed: flags.unarmed === true,
    };
    const outcome = await withLiveFlags(terminal, flags, (options) =>
      addMemoryDevice(system, name, request, options),
    );
    if (terminal.json) return terminal.printJsonLine({ type: "result", ...outcome });
    terminal.print(renderMemoryAdded(outcome));
  });
}

function addRemove(memory: Command): void {
  const command = memory
    .command("remove <name> <id>")
    .summary("take memory out of a running VM")
    .description(
      "Asks the guest for a memory device, waits until QEMU's list has lost it, and gives its memory back to the host. The guest lets go only of memory that it can move elsewhere.",
    );
  addLiveFlags(command).addHelpText(
    "after",
    examples("qlaunch memory remove gpu dimm0", "qlaunch memory remove gpu dimm0 --timeout 300"),
  );
  define(command, async ({ system, terminal }, flags: LiveFlags, name: string, id: string) => {
    const { removeMemory } = await import("../../actions/live-memory.ts");
    const { renderRemoved } = await import("../../report/index.ts");
    const outcome = await withLiveFlags(terminal, flags, (options) =>
      removeMemory(system, name, id, options),
    );
    if (terminal.json) return terminal.printJsonLine({ type: "result", ...outcome });
    terminal.print(renderRemoved(outcome));
  });
}

function addResize(memory: Command): void {
  const command = memory
    .command("resize <name> <id> <size>")
    .summary("change how much the guest has of a virtio-mem device")
    .description("Requests a size of a virtio-mem device, and waits until the guest has just that much.");
  addLiveFlags(command).addHelpText(
    "after",
    examples("qlaunch memory resize gpu vmem0 64G", "qlaunch memory resize gpu vmem0 0"),
  );
  define(command, async ({ system, terminal }, flags: LiveFlags, name: string, id: string, size: string) => {
    const { resizeMemoryDevice } = await import("../../actions/live-memory.ts");
    const { renderMemoryResized } = await import("../../report/index.ts");
    const outcome = await withLiveFlags(terminal, flags, (options) =>
      resizeMemoryDevice(system, name, id, size, options),
    );
    if (terminal.json) return terminal.printJsonLine({ type: "result", ...outcome });
    terminal.print(renderMemoryResized(outcome));
  });
}

function addList(memory: Command): void {
  const command = memory
    .command("list <name>")
    .summary("list a running VM's memory devices")
    .description("Lists the memory devices that QEMU has, at the start or later, by address.")
    .addHelpText(
      "after",
      examples("qlaunch memory list gpu", "qlaunch memory list gpu --json | jq '.[].id'"),
    );
  define(command, async ({ system, terminal }, _flags: { json?: boolean }, name: string) => {
    const { listMemoryDevices } = await import("../../actions/live-memory.ts");
    const { renderJson, renderMemoryDevices } = await import("../../report/index.ts");
    const devices = await listMemoryDevices(system, name);
    terminal.print(terminal.json ? renderJson(devices) : renderMemoryDevices(devices, terminal.style));
  });
}
