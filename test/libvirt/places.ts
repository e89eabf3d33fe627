import type { Option } from "./options.ts";

/** Where PCI devices sit, as the guest has it: from the root, a slot and function for each bus. */
export class Places {
  private readonly bridges = new Map<string, Option>();

  constructor(options: readonly Option[]) {
    for (const option of options) {
      const id = option.properties.get("id");
      if (option.name === "device" && id !== undefined) this.bridges.set(id, option);
    }
  }

  /** "01.0/00.0", or below an expander bus "bus 40/00.0"; undefined for what is no PCI device. */
  of(device: Option): string | undefined {
    const bus = device.properties.get("bus");
    const addr = device.properties.get("addr");
    if (bus === undefined || addr === undefined) return undefined;
    const [slot = "0", fn = "0"] = addr
      .split(".")
      .map((part) => Number(part.startsWith("0x") ? part : `0x${part}`).toString(16));
    const here = `${slot.padStart(2, "0")}.${fn}`;
    if (bus === "pcie.0") return here;
    const parent = this.bridges.get(bus);
    if (!parent) return `${bus}/${here}`;
    return `${this.busOf(parent)}/${here}`;
  }

  /** What is on a bus of another kind, by the place of its controller: "ide.2", "01.0/00.0 scsi". */
  below(bus: string): string {
    const [id = bus, number] = [bus.replace(/\.\d+$/, ""), /\.(\d+)$/.exec(bus)?.[1]];
    const controller = this.bridges.get(id);
    return controller ? (this.of(controller) ?? id) : `${id}.${number ?? "0"}`;
  }

  /** The first device of a kind. */
  firstOf(driver: string): string | undefined {
    return [...this.bridges].find(([, { head }]) => head === driver)?.[0];
  }

  private busOf(bridge: Option): string {
    if (bridge.head !== "pxb-pcie") return this.of(bridge) ?? "nowhere";
    return `bus ${Number(bridge.properties.get("bus_nr")).toString(16)}`;
  }
}
