import { type ImportContext, numberOf } from "./context.ts";
import type { PciBuses } from "./pci-buses.ts";
import type { Reading } from "./reading.ts";

/** What a disk has by its controller. */
export interface DiskController {
  readonly iothread?: string;
  readonly queues?: number;
  readonly bus?: string;
  readonly serial?: string;
}

/** Controllers of virtio-scsi and NVMe: here a disk names their port, queues and I/O thread, and they follow. */
export class DiskControllers {
  private readonly byPlace = new Map<string, DiskController>();
  /** Those that no disk is on so far. */
  private readonly empty = new Map<string, Reading>();

  constructor(devices: Reading | undefined, { iothreadName }: ImportContext, buses: PciBuses) {
    const seen = { scsi: 0, nvme: 0 };
    for (const controller of devices?.all("controller") ?? []) {
      const type = controller.attribute("type");
      if (type !== "scsi" && type !== "nvme") continue;
      const index = numberOf(controller, "index") ?? seen[type];
      seen[type] = index + 1;
      if (type === "scsi" && !/^virtio/.test(controller.attribute("model") ?? "virtio-scsi")) continue;
      const driver = controller.one("driver");
      const iothread = driver && numberOf(driver, "iothread");
      const queues = driver && numberOf(driver, "queues");
      const serial = controller.one("serial")?.text();
      const bus = buses.busOf(controller);
      controller.one("alias")?.keep();
      this.empty.set(`${type}${index}`, controller);
      this.byPlace.set(`${type}${index}`, {
        ...(iothread === undefined ? {} : { iothread: iothreadName(iothread) }),
        ...(queues === undefined ? {} : { queues }),
        ...(serial === undefined ? {} : { serial: serial.slice(0, 20) }),
        ...(bus === undefined ? {} : { bus }),
      });
    }
  }

  /** That of a disk, by the drive address; the first where it has none. */
  of(disk: Reading, type: "scsi" | "nvme"): DiskController {
    const address = disk.one("address");
    const isDrive = address?.attribute("type") === "drive";
    const index = (isDrive && address ? numberOf(address, "controller") : undefined) ?? 0;
    this.empty.delete(`${type}${index}`);
    return this.byPlace.get(`${type}${index}`) ?? {};
  }

  /** Tells of controllers without disks, which are not made. */
  finish(): void {
    for (const controller of this.empty.values())
      controller.replace("no disk is on it: a controller comes with its first disk");
  }
}
