import type { Placement } from "../../src/plan/types.ts";

/** Four cells of two cores of two threads, as the four-socket guest has them. */
export const fourCells: Placement = {
  cells: [0, 1, 2, 3].map((id) => ({
    id,
    vcpus: [0, 1, 2, 3].map((offset) => id * 4 + offset),
    memoryBytes: 2 ** 28,
    memdev: `ram${id}`,
    hostNodes: undefined,
    policy: undefined,
    pageSizeBytes: 0,
    distances: undefined,
  })),
  memoryDevices: [],
  vcpus: Array.from({ length: 16 }, (_, id) => ({
    id,
    cell: Math.floor(id / 4),
    socket: Math.floor(id / 4),
    die: 0,
    core: Math.floor(id / 2) % 2,
    thread: id % 2,
    boot: true,
    deviceId: id === 0 ? undefined : `cpu${id}`,
    hostCpus: undefined,
    exclusive: false,
  })),
  emulator: undefined,
  iothreads: [],
};
