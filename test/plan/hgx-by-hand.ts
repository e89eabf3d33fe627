import type { PlannedDevice } from "../../src/plan/index.ts";

/**
 * Where an expert put each device of this board by hand, for the same guest: root port of the node's expander bus,
 * and downstream port of its switch.
 */
export const byHand: Readonly<Record<string, readonly [node: number, rootPort: number, downstream: number]>> =
  {
    "0000:18:00.0": [0, 0, 0],
    "0000:19:00.0": [0, 0, 1],
    "0000:1a:00.0": [0, 0, 2],
    "0000:3b:00.0": [0, 1, 0],
    "0000:3c:00.0": [0, 1, 1],
    "0000:4c:00.0": [0, 2, 0],
    "0000:4d:00.0": [0, 2, 1],
    "0000:5d:00.0": [0, 3, 0],
    "0000:5e:00.0": [0, 3, 1],
    "0000:83:00.0": [1, 0, 0],
    "0000:84:00.0": [1, 0, 1],
    "0000:85:00.0": [1, 0, 2],
    "0000:86:00.0": [1, 0, 3],
    "0000:9b:00.0": [1, 1, 0],
    "0000:9c:00.0": [1, 1, 1],
    "0000:bb:00.0": [1, 2, 0],
    "0000:bc:00.0": [1, 2, 1],
    "0000:cb:00.0": [1, 3, 0],
    "0000:cc:00.0": [1, 3, 1],
    "0000:db:00.0": [1, 4, 0],
    "0000:dc:00.0": [1, 4, 1],
  };

/** The same of a plan: expander bus by its cell, root port and downstream port, by the host's address. */
export function placesOnSwitches(devices: readonly PlannedDevice[]): Record<string, unknown> {
  const byId = new Map(devices.map((entry) => [entry.id, entry]));
  return Object.fromEntries(
    devices.flatMap(({ hostAddress, bus, numaNode }) => {
      const downstream = byId.get(bus);
      const upstream = byId.get(downstream?.bus ?? "");
      const rootPort = byId.get(upstream?.bus ?? "");
      return hostAddress === undefined
        ? []
        : [[hostAddress, [numaNode, rootPort?.function, downstream?.slot]] as const];
    }),
  );
}
