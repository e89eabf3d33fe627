import type { JsonPath } from "../errors/index.ts";
import type { Disk } from "../profile/index.ts";
import type { DeviceSite } from "./device-site.ts";
import type { Draft } from "./draft.ts";
import type { Properties } from "./options.ts";

/** A virtio device has 1024 queues, and a SCSI controller keeps two for itself. */
const mostQueues = 1022;
const mostDisks = 256;

/** A controller that a running VM has already. */
export interface StandingController {
  readonly id: string;
  readonly iothread: string | undefined;
  /** The port it sits on. */
  readonly bus: string;
  /** The scsi-ids that its disks have. */
  readonly units: readonly number[];
}

interface Controller {
  readonly id: string;
  readonly serves: (disk: Disk) => boolean;
  readonly units: Set<number>;
}

/** Queues of a virtio disk: one for each vCPU at boot, unless the profile says otherwise. */
export function queueCount(draft: Draft, disk: Disk): number {
  return disk.queues ?? Math.min(draft.profile.cpus.boot, mostQueues);
}

/**
 * One controller for each I/O thread, port and number of queues; 256 disks each. A disk that names neither port nor
 * queues goes to a standing controller that serves its I/O thread.
 */
export class ScsiControllers {
  private readonly draft: Draft;
  private readonly site: DeviceSite;
  private readonly controllers: Controller[];

  constructor(draft: Draft, site: DeviceSite, standing: readonly StandingController[]) {
    this.draft = draft;
    this.site = site;
    this.controllers = standing.map(({ id, iothread, bus, units }) => ({
      id,
      serves: (disk) => disk.iothread === iothread && disk.queues === undefined && (disk.bus ?? bus) === bus,
      units: new Set(units),
    }));
  }

  unitFor(disk: Disk, path: JsonPath, because: string): Properties {
    const controller =
      this.controllers.find(({ serves }) => serves(disk)) ?? this.addController(disk, path, because);
    let unit = 0;
    while (controller.units.has(unit)) unit++;
    if (unit >= mostDisks) {
      this.draft.refuse("PCIE_BUS_FULL", [...path, "device"], {
        found: `${disk.id} is SCSI disk ${unit + 1} of its controller`,
        needed: `${mostDisks} at most`,
        fix: "give it another I/O thread or port",
      });
    }
    controller.units.add(unit);
    return { bus: `${controller.id}.0`, "scsi-id": unit, lun: 0 };
  }

  private addController(disk: Disk, path: JsonPath, because: string): Controller {
    const { iothread, bus, queues } = disk;
    const controller: Controller = {
      id: this.freeId(),
      serves: (other) => other.iothread === iothread && other.bus === bus && other.queues === queues,
      units: new Set(),
    };
    this.controllers.push(controller);
    this.site.place({
      id: controller.id,
      driver: "virtio-scsi-pci",
      properties: { iothread, num_queues: queueCount(this.draft, disk) },
      because: [because],
      path,
      bus,
    });
    return controller;
  }

  private freeId(): string {
    const taken = new Set(this.controllers.map(({ id }) => id));
    let number = 0;
    while (taken.has(`scsi${number}`)) number++;
    return `scsi${number}`;
  }
}
