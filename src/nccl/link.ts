/** A link of PCI Express, as sysfs tells it: GT/s and lanes. */
export interface Link {
  /** undefined: sysfs says "Unknown". */
  readonly speed: number | undefined;
  /** 0: not told. */
  readonly width: number;
}

/** What both ends can do, where NCCL takes the lesser of each. Undefined: nothing is known of an end. */
export function linkBetween(end: Link | undefined, other: Link | undefined): Link | undefined {
  if (end === undefined) return undefined;
  if (other === undefined) return end;
  const speeds = [end.speed, other.speed].filter((speed) => speed !== undefined);
  return {
    speed: speeds.length === 0 ? undefined : Math.min(...speeds),
    width: Math.min(end.width, other.width),
  };
}

/** GB/s of a lane by GT/s: three quarters of what it carries. */
const laneGBs = new Map([
  [2.5, 0.1875],
  [5, 0.375],
  [8, 0.75],
  [16, 1.5],
  [32, 3],
  [64, 6],
]);
/** A speed that NCCL does not know counts as 8 GT/s, and a width of 0 as 16 lanes. */
const unknownLaneGBs = 0.75;
const unknownWidth = 16;

/**
 * What NCCL counts a link with, in GB/s.
 * @see https://github.com/NVIDIA/nccl/blob/master/src/graph/topo.cc (kvDictPciGen, ncclTopoAddPci)
 */
export function ncclGBs({ speed, width }: Link): number {
  return (laneGBs.get(speed ?? 0) ?? unknownLaneGBs) * (width === 0 ? unknownWidth : width);
}
