import type { Properties } from "../plan/options.ts";
import { isUpstream } from "../plan/pcie-switch.ts";
import type { Plan, PlannedDevice } from "../plan/types.ts";
import { type Link, linkBetween } from "./link.ts";
import type { SwitchOnWay, Way } from "./way.ts";

/**
 * What the ports of QEMU say of their links when nothing is set.
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/hw/pci/pcie.c
 */
const defaults: Readonly<Record<string, Link>> = {
  "pcie-root-port": { speed: 16, width: 32 },
  "pcie-upstream-port": { speed: 64, width: 32 },
  "pcie-downstream-port": { speed: 64, width: 32 },
  "x3130-upstream": { speed: 2.5, width: 1 },
  "xio3130-downstream": { speed: undefined, width: 0 },
};

/** The ways of a plan's devices in its guest. */
export class GuestWays {
  readonly #devices: ReadonlyMap<string, PlannedDevice>;
  readonly #properties: ReadonlyMap<string, Properties>;

  constructor({ devices, options }: Pick<Plan, "devices" | "options">) {
    this.#devices = new Map(devices.map((device) => [device.id, device]));
    this.#properties = new Map(
      options.flatMap((option) =>
        option.option === "device" && option.id !== undefined ? [[option.id, option.properties]] : [],
      ),
    );
  }

  /** @param own what the device itself can do, which a guest reads from the hardware */
  of(device: PlannedDevice, own: Link | undefined): Way {
    const switches: SwitchOnWay[] = [];
    let top = device;
    for (let above = this.#above(device); above; above = this.#above(above)) {
      top = above;
      if (!isUpstream(above.driver) && above.driver !== "pcie-pci-bridge") continue;
      switches.push({ id: above.id, link: linkBetween(this.#linkOf(above), this.#linkAbove(above)) });
    }
    return {
      hostBridge: top.bus,
      node: device.numaNode,
      slot: `${device.bus} ${device.slot}`,
      switches,
      link: linkBetween(own, this.#linkAbove(device)),
    };
  }

  /** The port or bridge that a device sits on; none on a root bus. */
  #above({ bus }: PlannedDevice): PlannedDevice | undefined {
    const above = this.#devices.get(bus);
    return above?.busNr === undefined ? above : undefined;
  }

  #linkAbove(device: PlannedDevice): Link | undefined {
    const above = this.#above(device);
    return above && this.#linkOf(above);
  }

  #linkOf({ id, driver }: PlannedDevice): Link | undefined {
    const link = defaults[driver];
    const { "x-speed": speed, "x-width": width } = this.#properties.get(id) ?? {};
    return (
      link && {
        speed: speed === undefined ? link.speed : Number(String(speed).replace("_", ".")),
        width: width === undefined ? link.width : Number(width),
      }
    );
  }
}
