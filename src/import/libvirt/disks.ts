import type { BootDevice } from "./boot.ts";
import { aliasOf, type ImportContext, numberOf } from "./context.ts";
import { DiskControllers } from "./disk-controllers.ts";
import { DrivePlaces, nameOfDrive } from "./drives.ts";
import type { PciBuses } from "./pci-buses.ts";
import type { Reading } from "./reading.ts";

type Disk = NonNullable<ImportContext["profile"]["disks"]>[number];

/** Disks and CD-ROM drives, each by the name of its target: vda. */
export function readDisks(
  devices: Reading | undefined,
  context: ImportContext,
  buses: PciBuses,
  order: readonly BootDevice[],
): void {
  const controllers = new DiskControllers(devices, context, buses);
  const places = new DrivePlaces();
  const disks = (devices?.all("disk") ?? []).flatMap(
    (disk) => readDisk(disk, context, buses, controllers, places) ?? [],
  );
  controllers.finish();
  context.profile.disks = withOrder(disks, order);
}

/** The domain's order of kinds: the firmware tries the first of each. */
function withOrder(disks: readonly Disk[], order: readonly BootDevice[]): Disk[] {
  const kindOf = ({ device }: Disk): BootDevice => (device === "cdrom" ? "cdrom" : "hd");
  return disks.map((disk) => {
    const place = order.indexOf(kindOf(disk));
    const isFirst = disks.find((other) => kindOf(other) === kindOf(disk)) === disk;
    return disk.boot !== undefined || place === -1 || !isFirst ? disk : { ...disk, boot: place + 1 };
  });
}

function readDisk(
  disk: Reading,
  context: ImportContext,
  buses: PciBuses,
  controllers: DiskControllers,
  places: DrivePlaces,
): Disk | undefined {
  const type = disk.attribute("type") ?? "file";
  const device = disk.attribute("device") ?? "disk";
  const source = disk.one("source");
  const target = disk.one("target");
  const name = target?.attribute("dev");
  const id = aliasOf(disk) ?? name;
  const bus = target?.attribute("bus") ?? "virtio";
  const file = source?.attribute(type === "block" ? "dev" : "file");
  const model = deviceOf(disk, target, device, bus);
  if (type !== "file" && type !== "block") {
    disk.drop(`a disk of type ${type}: connect it on the host and name its device or file`);
    return undefined;
  }
  if (model === undefined) return undefined;
  if (id === undefined) {
    disk.drop("a disk without a name: write target dev, such as vda");
    return undefined;
  }
  if (file === undefined) {
    disk.drop("a drive without a medium: media are not changed while the guest runs");
    return undefined;
  }
  if (disk.one("encryption") ?? source?.one("encryption")) {
    disk.drop("an encrypted image, of which the guest would see the ciphertext: open it on the host");
    return undefined;
  }
  if (source?.one("slices")) {
    disk.drop("a part of a file: make a loop device of it (losetup --offset), and name that");
    return undefined;
  }
  const driver = disk.one("driver");
  const format = driver?.attribute("type") ?? "raw";
  if (format !== "raw" && format !== "qcow2") {
    disk.drop(`the format ${format}: convert it with "qemu-img convert -O qcow2"`);
    return undefined;
  }
  ignored(disk, target);
  const boot = disk.one("boot");
  const onController = model === "virtio-scsi" ? "scsi" : model === "nvme" ? "nvme" : undefined;
  const controller = onController && controllers.of(disk, onController);
  const place = bus === "virtio" ? buses.busOf(disk) : undefined;
  if (model !== "virtio-blk") places.take(disk, model);
  const given = disk.one("serial")?.text();
  const serial = given ?? (model === "virtio-scsi" && !context.isOurs ? nameOfDrive(disk) : undefined);
  return {
    id,
    file,
    format,
    ...(model === "virtio-blk" ? {} : { device: model }),
    ...(disk.one("readonly") && model !== "cdrom" ? { readOnly: true } : {}),
    ...controller,
    ...driverOptions(driver, context),
    ...(boot ? orderOf(boot) : {}),
    ...(serial === undefined ? {} : { serial: serial.slice(0, 20) }),
    ...(place === undefined ? {} : { bus: place }),
  };
}

function deviceOf(
  disk: Reading,
  target: Reading | undefined,
  device: string,
  bus: string,
): NonNullable<Disk["device"]> | undefined {
  if (device === "cdrom") {
    if (bus !== "sata") target?.improve("a CD-ROM drive of the board's SATA controller");
    return "cdrom";
  }
  if (device !== "disk") {
    disk.drop(
      device === "floppy"
        ? "a q35 has no floppy drive"
        : `a device "${device}": give the guest the disk itself`,
    );
    return undefined;
  }
  switch (bus) {
    case "virtio":
      return "virtio-blk";
    case "scsi":
      return "virtio-scsi";
    case "nvme":
      return "nvme";
    case "sata":
      return "sata";
    case "ide":
      target?.improve("a disk of the board's SATA controller, which guests find by the same driver");
      return "sata";
    default:
      disk.drop(`a disk on the bus ${bus}: write virtio-blk, virtio-scsi, nvme or sata`);
      return undefined;
  }
}

const caches = ["none", "writeback", "writethrough", "directsync", "unsafe"] as const;

function driverOptions(driver: Reading | undefined, { iothreadName }: ImportContext): Partial<Disk> {
  if (!driver) return {};
  driver.attribute("name");
  const cache = caches.find((known) => known === driver.attribute("cache"));
  const discard = driver.attribute("discard");
  const io = driver.attribute("io");
  const iothread = numberOf(driver, "iothread");
  const queues = numberOf(driver, "queues");
  for (const name of [
    "error_policy",
    "rerror_policy",
    "detect_zeroes",
    "copy_on_read",
    "event_idx",
    "ioeventfd",
    "queue_size",
    "iommu",
    "ats",
    "packed",
    "metadata_cache",
    "discard_no_unref",
    "max_bounce_size",
  ]) {
    if (driver.attribute(name) !== undefined) driver.dropAttribute(name, "QEMU's default is used");
  }
  return {
    ...(cache === undefined || cache === "none" ? {} : { cache }),
    ...(discard === "ignore" ? { discard } : {}),
    ...(io === "threads" || io === "native" || io === "io_uring" ? { aio: io } : {}),
    ...(iothread === undefined ? {} : { iothread: iothreadName(iothread) }),
    ...(queues === undefined ? {} : { queues }),
  };
}

export function orderOf(boot: Reading): { boot?: number } {
  const order = numberOf(boot, "order");
  if (boot.attribute("loadparm") !== undefined) boot.dropAttribute("loadparm", "for s390 alone");
  return order === undefined ? {} : { boot: order };
}

function ignored(disk: Reading, target: Reading | undefined): void {
  for (const name of ["snapshot", "sgio", "rawio"]) disk.attribute(name);
  const model = disk.attribute("model");
  // On a port of its own a virtio device is modern anyway.
  if (model !== undefined && model !== "virtio" && model !== "virtio-non-transitional")
    disk.dropAttribute("model", "the modern virtio device alone");
  target?.attribute("tray");
  if (target?.attribute("removable") !== undefined) target.dropAttribute("removable", "for USB alone");
  if (target?.attribute("rotation_rate") !== undefined)
    target.dropAttribute("rotation_rate", "guests see a disk that does not turn");
  const policy = disk.one("source")?.attribute("startupPolicy");
  if (policy === "optional" || policy === "requisite")
    disk.one("source")?.dropAttribute("startupPolicy", "without its file the guest does not start");
  disk.one("source")?.attribute("index");
  // How libvirt names things, and what it found of the image.
  disk.one("backingStore")?.keep();
  disk.one("shareable")?.drop("QEMU locks the image: a second guest that writes to it is refused");
  disk.one("transient")?.drop("what the guest writes stays in the image: give it a copy");
  disk.one("iotune")?.drop("start qlaunch in a cgroup with io.max");
  for (const name of ["blockio", "geometry", "wwn", "vendor", "product", "mirror", "auth"]) {
    disk.one(name)?.drop("not supported");
  }
}
