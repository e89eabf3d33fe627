import type { Diagnostic } from "../errors/index.ts";
import type { DeviceRequest, DeviceSite } from "../plan/device-site.ts";
import type { Draft } from "../plan/draft.ts";
import { choosePort, type LivePort, type PortWish } from "./ports.ts";

/** The free hot-plug ports of a running VM, as the planners' site: each device gets one. */
export class LiveSite implements DeviceSite {
  private readonly draft: Draft;
  private readonly wish: PortWish;
  private ports: readonly LivePort[];

  constructor(draft: Draft, ports: readonly LivePort[], wish: PortWish) {
    this.draft = draft;
    this.ports = ports;
    this.wish = wish;
  }

  place({ id, driver, properties, because, path, bus }: DeviceRequest): void {
    this.draft.claimId("device", id, [...path, "id"]);
    const choice = choosePort(this.ports, { ...this.wish, bus: bus ?? this.wish.bus });
    if (!choice.ok) {
      const at = bus === undefined ? path : [...path, "bus"];
      this.draft.problems.push(
        ...choice.diagnostics.map((problem): Diagnostic => ({ ...problem, path: at })),
      );
      return;
    }
    const port = choice.value.id;
    this.ports = this.ports.map((known) => (known.id === port ? { ...known, occupant: id } : known));
    // Without the address, QEMU 7.2 puts a device into an occupied port, at a place that the guest never looks at.
    this.draft.add({
      option: "device",
      driver,
      id,
      properties: { bus: port, addr: "0x0", ...properties },
      because,
    });
  }
}
