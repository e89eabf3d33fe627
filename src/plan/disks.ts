import type { JsonPath } from "../errors/index.ts";
import type { Disk } from "../profile/index.ts";
import type { DeviceSite } from "./device-site.ts";
import type { Draft } from "./draft.ts";
import type { Properties } from "./options.ts";
import { queueCount, ScsiControllers, type StandingController } from "./scsi-controllers.ts";

/** The ICH9 has six SATA ports. */
const sataPorts = 6;

/**
 * Block nodes, controllers and disks.
 * @param standing SCSI controllers that a running VM has already
 */
export function planDisks(
  draft: Draft,
  site: DeviceSite,
  standing: readonly StandingController[] = [],
): void {
  const { disks, networks } = draft.profile;
  if ([...disks, ...networks].some((device) => device.boot !== undefined)) planBoot(draft);
  let sata = 0;
  const scsi = new ScsiControllers(draft, site, standing);
  for (const [index, disk] of disks.entries()) {
    const path = ["disks", index];
    checkDisk(draft, disk, path);
    checkSharing(draft, index);
    const idPath = [...path, "id"];
    const because = planBackEnd(draft, disk, idPath);
    draft.files.push({
      path: disk.file,
      access: isReadOnly(disk) ? "read" : "write",
      kind: "file",
      profilePath: [...path, "file"],
      what: `disk ${disk.id}`,
      format: disk.format,
    });
    const front = frontEnd(draft, disk);
    if (disk.device === "virtio-blk" || disk.device === "nvme") {
      site.place({ id: disk.id, ...front, because: [because], path, bus: disk.bus });
    } else if (disk.device === "virtio-scsi") {
      draft.claimId("device", disk.id, idPath);
      draft.addLeaf({
        option: "device",
        id: disk.id,
        driver: front.driver,
        properties: { ...scsi.unitFor(disk, path, because), ...front.properties },
        because: [because],
      });
    } else {
      draft.claimId("device", disk.id, idPath);
      if (sata === sataPorts) {
        draft.refuse("PCIE_BUS_FULL", [...path, "device"], {
          found: `${disk.id} is SATA disk ${sata + 1}`,
          needed: `${sataPorts} SATA disks and CD drives at most`,
          fix: 'use "virtio-blk" or "virtio-scsi"',
        });
      }
      draft.addLeaf({
        option: "device",
        id: disk.id,
        driver: front.driver,
        properties: { bus: `ide.${sata++}`, ...front.properties },
        because: [because],
      });
    }
  }
}

function planBoot(draft: Draft): void {
  const because = draft.decide("disks", "disks.boot", {
    value: "strict=on",
    rule: "With a boot order in the profile the firmware tries nothing else.",
    source: "invocation",
  });
  draft.add({ option: "boot", properties: { strict: true }, because: [because] });
}

/** A protocol node for the file and a format node on it. */
function planBackEnd(draft: Draft, disk: Disk, idPath: JsonPath): string {
  const readOnly = isReadOnly(disk);
  const cache = cacheModes[disk.cache];
  const aio = disk.aio ?? (cache.direct ? "native" : "threads");
  const because = draft.decide("disks", `disks.${disk.id}`, {
    value: `${disk.device}, ${disk.format}, cache ${disk.cache}, aio ${aio}${readOnly ? ", read-only" : ""}`,
    rule: "The format is the profile's, never guessed. Linux native I/O goes with the host's page cache left out, threads with it. A virtio disk has a queue for each vCPU at boot.",
    facts: [disk.file],
    source: "block",
  });
  draft.claimId("block node", disk.id, idPath);
  draft.claimId("block node", `${disk.id}.file`, idPath);
  const shared: Properties = {
    "read-only": readOnly ? true : undefined,
    discard: readOnly ? undefined : disk.discard,
    "cache.direct": cache.direct,
    "cache.no-flush": cache.noFlush,
  };
  draft.add(
    {
      option: "blockdev",
      driver: disk.file.startsWith("/dev/") ? "host_device" : "file",
      nodeName: `${disk.id}.file`,
      properties: { filename: disk.file, aio, ...shared },
      because: [because],
    },
    {
      option: "blockdev",
      driver: disk.format,
      nodeName: disk.id,
      properties: { file: `${disk.id}.file`, ...shared },
      because: [because],
    },
  );
  return because;
}

function frontEnd(draft: Draft, disk: Disk): { driver: string; properties: Properties } {
  const common: Properties = {
    drive: disk.id,
    bootindex: disk.boot,
    "write-cache":
      disk.device === "cdrom" || disk.device === "nvme" ? undefined : cacheModes[disk.cache].writeCache,
  };
  switch (disk.device) {
    case "virtio-blk":
      return {
        driver: "virtio-blk-pci",
        properties: {
          ...common,
          serial: disk.serial,
          iothread: disk.iothread,
          "num-queues": queueCount(draft, disk),
        },
      };
    case "virtio-scsi":
      return { driver: "scsi-hd", properties: { ...common, serial: disk.serial } };
    case "nvme":
      // The specification wants a serial number; the id is the best there is.
      return { driver: "nvme", properties: { ...common, serial: disk.serial ?? disk.id } };
    case "sata":
      return { driver: "ide-hd", properties: { ...common, serial: disk.serial } };
    case "cdrom":
      return { driver: "ide-cd", properties: { ...common, serial: disk.serial } };
  }
}

function checkDisk(draft: Draft, disk: Disk, path: JsonPath): void {
  const refuse = (key: string, found: string, needed: string, fix: string) =>
    draft.refuse("DISK_COMBINATION", [...path, key], { found, needed, fix });
  const onVirtio = disk.device === "virtio-blk" || disk.device === "virtio-scsi";
  if (disk.iothread !== undefined && !onVirtio) {
    refuse(
      "iothread",
      `an I/O thread for a ${disk.device} disk`,
      "virtio-blk or virtio-scsi",
      "leave iothread out, or change device",
    );
  }
  if (disk.iothread !== undefined && !draft.profile.iothreads.includes(disk.iothread)) {
    draft.refuse("ID_UNKNOWN", [...path, "iothread"], {
      found: `the I/O thread "${disk.iothread}"`,
      needed:
        draft.profile.iothreads.length > 0
          ? `one of ${draft.profile.iothreads.join(", ")}`
          : "an I/O thread in iothreads",
      fix: `add "iothreads": ["${disk.iothread}"], or leave iothread out`,
    });
  }
  if (disk.queues !== undefined && !onVirtio) {
    refuse(
      "queues",
      `queues for a ${disk.device} disk`,
      "virtio-blk or virtio-scsi",
      "leave queues out, or change device",
    );
  }
  if (disk.bus !== undefined && (disk.device === "sata" || disk.device === "cdrom")) {
    refuse(
      "bus",
      `a PCIe port for a ${disk.device} disk`,
      "no bus: it sits on the board's SATA controller",
      "leave bus out, or change device",
    );
  }
  if (disk.aio === "native" && !cacheModes[disk.cache].direct) {
    refuse(
      "aio",
      `native I/O with cache ${disk.cache}`,
      'cache "none" or "directsync", since native I/O bypasses the page cache',
      'write "aio": "threads", or change cache',
    );
  }
  if (disk.device === "sata" && disk.readOnly === true) {
    refuse(
      "readOnly",
      "a read-only SATA disk",
      "a device that can be read-only: ATA has no such disks",
      'leave readOnly out, or write "device": "virtio-blk" or "cdrom"',
    );
  }
  if (disk.device === "cdrom" && disk.readOnly === false) {
    refuse("readOnly", "a writable CD drive", "readOnly true", "leave readOnly out");
  }
}

/** QEMU locks an image that somebody writes to; two disks of one VM stand in each other's way as well. */
function checkSharing(draft: Draft, index: number): void {
  const { disks } = draft.profile;
  const disk = disks[index];
  const other = disks.slice(0, index).find((earlier) => earlier.file === disk?.file);
  if (!disk || !other || (isReadOnly(disk) && isReadOnly(other))) return;
  draft.refuse("DISK_COMBINATION", ["disks", index, "file"], {
    found: `${disk.file} for ${disk.id}, which ${other.id} has`,
    needed: "an image of its own for each disk that is written to",
    fix: "name another file, or make both disks read-only",
  });
}

function isReadOnly(disk: Disk): boolean {
  return disk.readOnly ?? disk.device === "cdrom";
}

/** @see https://www.qemu.org/docs/master/system/invocation.html (-drive cache=) */
const cacheModes = {
  none: { direct: true, noFlush: false, writeCache: true },
  writeback: { direct: false, noFlush: false, writeCache: true },
  writethrough: { direct: false, noFlush: false, writeCache: false },
  directsync: { direct: true, noFlush: false, writeCache: false },
  unsafe: { direct: false, noFlush: true, writeCache: true },
} as const;
