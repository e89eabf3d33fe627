import type { Plan } from "../../plan/types.ts";
import type { Disk, Profile } from "../../profile/index.ts";
import type { PlannedTree } from "./controllers.ts";
import { addressOf, alias } from "./places.ts";
import { controllerOf } from "./settled.ts";
import { type Element, element, textElement } from "./xml.ts";

const buses = {
  "virtio-blk": "virtio",
  "virtio-scsi": "scsi",
  nvme: "nvme",
  sata: "sata",
  cdrom: "sata",
} as const;

/** Disks, with the controllers that the plan makes for those on SCSI and NVMe. @see https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms */
export function writeDisks(profile: Profile, plan: Plan, tree: PlannedTree): Element[] {
  const { disks, iothreads } = profile;
  const numbers = iothreadNumbers(iothreads);
  const scsi = plan.devices.filter(({ driver }) => driver === "virtio-scsi-pci");
  const onNvme = disks.filter(({ device }) => device === "nvme");
  const onSata = disks.filter(({ device }) => buses[device] === "sata");
  const place = (disk: Disk): Element | undefined => {
    const bus = buses[disk.device];
    if (bus === "virtio") return addressOf(tree, disk.id);
    if (bus === "nvme") return driveAddress(onNvme.indexOf(disk), 0, 0);
    if (bus === "sata") return driveAddress(0, 0, onSata.indexOf(disk));
    const id = tree.properties(disk.id)["scsi-id"];
    return driveAddress(
      scsi.findIndex((controller) => controller.id === controllerOf(disk, tree)),
      typeof id === "number" ? id : 0,
      0,
    );
  };
  return [
    ...disks.map((disk) => writeDisk(disk, targetName(disk, disks), numbers, place(disk))),
    ...scsi.map(({ id }, index) => {
      const { iothread, num_queues } = tree.properties(id);
      return element(
        "controller",
        { type: "scsi", index, model: "virtio-scsi" },
        element("driver", {
          queues: typeof num_queues === "number" ? num_queues : undefined,
          iothread: typeof iothread === "string" ? numbers.get(iothread) : undefined,
        }),
        addressOf(tree, id),
      );
    }),
    ...onNvme.map(({ id, serial = id }, index) =>
      element("controller", { type: "nvme", index }, textElement("serial", serial), addressOf(tree, id)),
    ),
  ];
}

/** libvirt counts I/O threads from 1. */
export function iothreadNumbers(iothreads: readonly string[]): ReadonlyMap<string, number> {
  return new Map(iothreads.map((id, index) => [id, index + 1]));
}

function driveAddress(controller: number, target: number, unit: number): Element {
  return element("address", { type: "drive", controller, bus: 0, target, unit });
}

function writeDisk(
  disk: Disk,
  target: string,
  numbers: ReadonlyMap<string, number>,
  address: Element | undefined,
): Element {
  const bus = buses[disk.device];
  const isBlock = disk.file.startsWith("/dev/");
  const isCdrom = disk.device === "cdrom";
  const isVirtio = bus === "virtio";
  const isReadOnly = disk.readOnly === true || isCdrom;
  return element(
    "disk",
    { type: isBlock ? "block" : "file", device: isCdrom ? "cdrom" : "disk" },
    element("driver", {
      name: "qemu",
      type: disk.format,
      cache: disk.cache,
      io: disk.aio,
      // What cannot be written has nothing to give back.
      discard: isReadOnly && disk.discard === "unmap" ? undefined : disk.discard,
      iothread: isVirtio && disk.iothread !== undefined ? numbers.get(disk.iothread) : undefined,
      queues: isVirtio ? disk.queues : undefined,
    }),
    element("source", isBlock ? { dev: disk.file } : { file: disk.file }),
    element("target", { dev: target, bus }),
    isReadOnly ? element("readonly") : undefined,
    disk.serial === undefined || bus === "nvme" ? undefined : textElement("serial", disk.serial),
    disk.boot === undefined ? undefined : element("boot", { order: disk.boot }),
    alias(disk.id),
    address,
  );
}

/** vda, sda, nvme0n1: SCSI and SATA share a series. */
function targetName(disk: Disk, disks: readonly Disk[]): string {
  const series = { virtio: "vd", scsi: "sd", sata: "sd", nvme: "nvme" };
  const prefix = series[buses[disk.device]];
  const number = disks.filter(({ device }) => series[buses[device]] === prefix).indexOf(disk);
  return prefix === "nvme" ? `nvme${number}n1` : `${prefix}${letters(number)}`;
}

/** a, b, ... z, aa. */
function letters(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}
