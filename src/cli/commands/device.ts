import { addParts, type Command, define, examples } from "../command.ts";
import { addLiveFlags, type LiveFlags, withLiveFlags } from "../live.ts";

interface AddFlags extends LiveFlags {
  readonly disk?: string;
  readonly nic?: string;
  readonly vfio?: string;
  readonly id?: string;
  readonly bus?: string;
  readonly numaCell?: string;
}

export function addDevice(program: Command, part?: string): void {
  const device = program
    .command("device")
    .summary("add, remove and list devices while a VM runs")
    .description("Devices that come and go while the guest runs, each on a hot-plug port.");
  addParts(device, { add: addAdd, remove: addRemove, list: addList }, part);
}

function addAdd(device: Command): void {
  const command = device
    .command("add <name> [object]")
    .summary("give a running VM a device")
    .description(
      "Adds a disk, a network, a device of the host or any other on a free hot-plug port, with its back ends; when any part fails, nothing of it stays. --disk and --nic take what profiles have in disks and networks. A device of the host leaves its driver, and gets it back when it is removed. An object without either is what QEMU's device_add takes; it is passed on as it is, outside of the plan's checks.",
    )
    .option("--disk <json>", "a disk: virtio-blk, virtio-scsi or nvme")
    .option("--nic <json>", "a network: user or tap")
    .option("--vfio <address>", "a device of the host, such as 0000:19:00.0")
    .option("--id <id>", "its name (default: a free one, such as disk0)")
    .option("--bus <port>", "the hot-plug port (default: a spare one on pcie.0, or on its node)")
    .option("--numa-cell <number>", "a port that belongs to this cell of the guest");
  addLiveFlags(command).addHelpText(
    "after",
    examples(
      `qlaunch device add gpu --disk '{"id": "data", "file": "data.qcow2", "format": "qcow2"}'`,
      `qlaunch device add gpu --nic '{"id": "net1", "tap": "tap1"}' --numa-cell 1`,
      "qlaunch device add gpu --vfio 0000:19:00.0",
      `qlaunch device add gpu '{"driver": "virtio-rng-pci"}' --bus spare1`,
    ),
  );
  define(command, async ({ system, terminal }, flags: AddFlags, name: string, object: string | undefined) => {
    const { addVmDevice } = await import("../../actions/live-devices.ts");
    const { renderDeviceAdded } = await import("../../report/index.ts");
    const { disk, nic, vfio, id, bus, numaCell } = flags;
    const outcome = await withLiveFlags(terminal, flags, (options) =>
      addVmDevice(system, name, { disk, nic, vfio, object, id, bus, numaCell }, options),
    );
    if (terminal.json) return terminal.printJsonLine({ type: "result", ...outcome });
    terminal.print(renderDeviceAdded(outcome));
  });
}

function addRemove(device: Command): void {
  const command = device
    .command("remove <name> <id>")
    .summary("take a device out of a running VM")
    .description(
      "Asks the guest for a device, waits until QEMU's list has lost it, and takes its back ends away.",
    );
  addLiveFlags(command).addHelpText("after", examples("qlaunch device remove gpu data"));
  define(command, async ({ system, terminal }, flags: LiveFlags, name: string, id: string) => {
    const { removeDevice } = await import("../../actions/live-devices.ts");
    const { renderRemoved } = await import("../../report/index.ts");
    const outcome = await withLiveFlags(terminal, flags, (options) =>
      removeDevice(system, name, id, options),
    );
    if (terminal.json) return terminal.printJsonLine({ type: "result", ...outcome });
    terminal.print(renderRemoved(outcome));
  });
}

function addList(device: Command): void {
  const command = device
    .command("list <name>")
    .summary("list a running VM's devices")
    .description(
      "Lists the devices that QEMU has, those of the plan and those that came later, with their buses.",
    )
    .addHelpText(
      "after",
      examples("qlaunch device list gpu", "qlaunch device list gpu --json | jq '.[].id'"),
    );
  define(command, async ({ system, terminal }, _flags: { json?: boolean }, name: string) => {
    const { listDevices } = await import("../../actions/live-devices.ts");
    const { renderDevices, renderJson } = await import("../../report/index.ts");
    const devices = await listDevices(system, name);
    terminal.print(terminal.json ? renderJson(devices) : renderDevices(devices, terminal.style));
  });
}
