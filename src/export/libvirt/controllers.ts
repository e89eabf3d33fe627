import type { DeviceOption } from "../../plan/options.ts";
import type { Plan, PlannedDevice } from "../../plan/types.ts";

/** libvirt's models of controllers, by QEMU's drivers. @see https://libvirt.org/formatdomain.html#controllers */
const models: Readonly<Record<string, string>> = {
  "pxb-pcie": "pcie-expander-bus",
  "pcie-root-port": "pcie-root-port",
  "x3130-upstream": "pcie-switch-upstream-port",
  "xio3130-downstream": "pcie-switch-downstream-port",
  "pcie-upstream-port": "pcie-switch-upstream-port",
  "pcie-downstream-port": "pcie-switch-downstream-port",
  "pcie-pci-bridge": "pcie-to-pci-bridge",
};

/** A bridge of the plan as libvirt's controller. */
export interface Bridge {
  readonly device: PlannedDevice;
  readonly properties: DeviceOption["properties"];
  readonly model: string;
  /** libvirt's number of the bus below. */
  readonly index: number;
  /** What a profile calls it: the plan's id, or libvirt's own name where the id is too long for a profile. */
  readonly name: string;
}

/** The PCI devices of a plan, by id and by the bridges above them. */
export class PlannedTree {
  readonly bridges: readonly Bridge[];
  private readonly devices: ReadonlyMap<string, PlannedDevice>;
  private readonly options: ReadonlyMap<string, DeviceOption>;
  private readonly byId: ReadonlyMap<string, Bridge>;

  constructor({ devices, options }: Plan) {
    this.devices = new Map(devices.map((device) => [device.id, device]));
    this.options = new Map(
      options.flatMap((option) =>
        option.option === "device" && option.id !== undefined ? [[option.id, option] as const] : [],
      ),
    );
    this.bridges = devices
      .filter(({ driver }) => models[driver] !== undefined)
      .map((device, place) => ({
        device,
        properties: this.properties(device.id),
        model: models[device.driver] ?? "",
        index: place + 1,
        name: isName(device.id) ? device.id : `pci.${place + 1}`,
      }));
    this.byId = new Map(this.bridges.map((bridge) => [bridge.device.id, bridge]));
  }

  device(id: string): PlannedDevice | undefined {
    return this.devices.get(id);
  }

  /** The properties of a device, PCI or not. */
  properties(id: string): DeviceOption["properties"] {
    return this.options.get(id)?.properties ?? {};
  }

  /** The bus that a profile would name for a device; undefined for one that is no PCI device. */
  busOf(id: string): string | undefined {
    const bus = this.devices.get(id)?.bus;
    return bus === undefined ? undefined : (this.byId.get(bus)?.name ?? bus);
  }

  /** libvirt's number of the bus that a device sits on. */
  busNumber({ bus }: PlannedDevice): number {
    return this.byId.get(bus)?.index ?? 0;
  }

  /** Whether a device says that its slot has other functions. */
  isMultifunction({ bus, slot, function: fn }: PlannedDevice): boolean {
    const others = [...this.devices.values()].filter((other) => other.bus === bus && other.slot === slot);
    return fn === 0 && others.length > 1;
  }

  /** The bridges right below a bus. */
  below(bus: string): readonly Bridge[] {
    return this.bridges.filter(({ device }) => device.bus === bus);
  }
}

/** Names in a profile have 24 characters at most; the planner makes longer ones of them. */
function isName(id: string): boolean {
  return /^[A-Za-z][A-Za-z0-9._-]{0,23}$/.test(id);
}
