import { numberOf } from "./context.ts";
import type { Reading } from "./reading.ts";

/** Where a drive is: the unit is QEMU's lun, or a port of the SATA controller. */
interface DriveAddress {
  readonly controller: number;
  readonly target: number;
  readonly unit: number;
}

/** The name that libvirt gives a SCSI disk without a serial number: guests make links in /dev/disk/by-id of it. */
export function nameOfDrive(disk: Reading): string | undefined {
  const address = driveAddressOf(disk);
  if (!address) return undefined;
  const name = `drive-scsi${address.controller}-0-${address.target}-${address.unit}`;
  disk.improve(
    `its serial number is ${name}, as libvirt names it to the guest: links in /dev/disk/by-id stay`,
  );
  return name;
}

/** How many drives each controller has so far: the planner puts them one behind the other. */
export class DrivePlaces {
  private readonly counts = new Map<string, number>();

  /** Tells of a drive that goes elsewhere on its controller. */
  take(disk: Reading, model: "virtio-scsi" | "nvme" | "sata" | "cdrom"): void {
    const address = driveAddressOf(disk);
    const isScsi = model === "virtio-scsi";
    if (model === "nvme") {
      // The one namespace of its controller.
      if (address) disk.one("address")?.keep();
      return;
    }
    const bus = isScsi ? `scsi${address?.controller ?? 0}` : "sata";
    const next = this.counts.get(bus) ?? 0;
    this.counts.set(bus, next + 1);
    const element = disk.one("address");
    if (!address || !element) return;
    const stays = isScsi
      ? address.target === next && address.unit === 0
      : address.controller === 0 && address.unit === next;
    if (stays) element.keep();
    else {
      element.replace(
        isScsi
          ? `target ${next} of its controller instead of ${address.target}, unit ${address.unit}: disks are in the profile's order`
          : `port ${next} of the board's controller instead of ${address.unit}: drives are in the profile's order`,
      );
    }
  }
}

function driveAddressOf(disk: Reading): DriveAddress | undefined {
  const element = disk.one("address");
  if (element?.attribute("type") !== "drive") return undefined;
  const part = (name: string) => numberOf(element, name) ?? 0;
  part("bus");
  return { controller: part("controller"), target: part("target"), unit: part("unit") };
}
