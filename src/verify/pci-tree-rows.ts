import type { PciTreeState } from "../vm/index.ts";
import { type Row, rowsOf } from "./row.ts";

/**
 * What QEMU knows of BARs and windows, put into the rows of the devices: a guest's kernel does not list a BAR that it
 * found no address for.
 */
export function withPciTree(rows: readonly Row[], { unmappedBars, deadBridges }: PciTreeState): Row[] {
  const lost = new Map<string, number[]>();
  for (const { device, bar } of unmappedBars) lost.set(device, [...(lost.get(device) ?? []), bar]);
  const lostRows = new Map(
    [...lost].map(([device, bars]) => [
      device,
      rowsOf("device", device)("BARs", "assigned", `BAR ${bars.join(", ")} without address`),
    ]),
  );
  const known = new Set(rows.filter(isBars).map(({ what }) => what));
  return [
    ...rows.map((row) => (isBars(row) ? (lostRows.get(row.what) ?? row) : row)),
    ...[...lostRows].flatMap(([device, row]) => (known.has(device) ? [] : [row])),
    ...deadBridges.map((bridge) => rowsOf("device", bridge)("window", "open", "dead")),
  ];
}

const isBars = ({ kind, fact }: Row) => kind === "device" && fact === "BARs";
