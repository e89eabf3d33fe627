import type { Diagnostic } from "../errors/index.ts";
import { nextPowerOfTwo } from "../plan/bar-space.ts";
import type { DeviceRequest, DeviceSite } from "../plan/device-site.ts";
import type { Draft } from "../plan/draft.ts";
import { describeByteSize, formatByteSize } from "../units/index.ts";
import { choosePort, type LivePort, type PortWish } from "./ports.ts";

/** Guests find room for less in any port's window. */
const guestFindsBytes = 256 * 2 ** 20;

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

  place(request: DeviceRequest): void {
    const { id, path } = request;
    this.draft.claimId("device", id, [...path, "id"]);
    if (request.beside) {
      this.placeBeside(request, request.beside);
      return;
    }
    const bus = request.bus ?? this.wish.bus;
    // A port that is named counts more than the cell that the device would like.
    const cell = this.wish.cell ?? (bus === undefined ? request.cell : undefined);
    const pref64Bytes = this.windowFor(request);
    const choice = choosePort(this.ports, { bus, cell, pref64Bytes });
    if (!choice.ok) {
      const at = request.bus === undefined ? path : [...path, "bus"];
      this.draft.problems.push(
        ...choice.diagnostics.map((problem): Diagnostic => ({ ...problem, path: at })),
      );
      return;
    }
    if (choice.value.pref64Bytes < pref64Bytes && pref64Bytes > guestFindsBytes)
      this.warnOfWindow(request, choice.value, pref64Bytes);
    const port = choice.value.id;
    this.ports = this.ports.map((known) => (known.id === port ? { ...known, occupant: id } : known));
    this.draft.add(deviceOption(request, port, 0));
  }

  /** The prefetchable BARs of a function of the host; 0 for what is emulated. */
  private windowFor({ hostAddress }: DeviceRequest): number {
    const fn = this.draft.host.pci?.find(({ address }) => address === hostAddress);
    const bars = fn?.bars.filter(({ kind, prefetchable }) => kind === "mem64" && prefetchable) ?? [];
    return nextPowerOfTwo(bars.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  }

  private warnOfWindow({ id, path }: DeviceRequest, port: LivePort, neededBytes: number): void {
    this.draft.warn("LIVE_PORT", path, {
      found: `${id} with ${describeByteSize(neededBytes)} of 64-bit window on ${port.id}, which kept ${port.pref64Bytes === 0 ? "none" : describeByteSize(port.pref64Bytes)}`,
      needed: `a port that kept as much at the start, or a guest that makes room: its driver may find the BARs without an address`,
      fix: `write "spareReserve": "${formatByteSize(neededBytes)}" in pcie, and start the VM again`,
    });
  }

  /** Ahead of function 0, whose coming makes the guest look at the whole slot. */
  private placeBeside(
    request: DeviceRequest,
    { id, function: fn }: NonNullable<DeviceRequest["beside"]>,
  ): void {
    const port = this.ports.find(({ occupant }) => occupant === id);
    if (!port) return;
    const main = this.draft.options.findIndex((option) => option.option === "device" && option.id === id);
    this.draft.options.splice(main, 0, deviceOption(request, port.id, fn));
  }
}

function deviceOption({ id, driver, properties, because }: DeviceRequest, port: string, fn: number) {
  // Without the address, QEMU 7.2 puts a device into an occupied port, at a place that the guest never looks at.
  const addr = fn === 0 ? "0x0" : `0x0.0x${fn}`;
  return { option: "device", driver, id, properties: { bus: port, addr, ...properties }, because } as const;
}
