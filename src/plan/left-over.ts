import type { Ledger } from "../host/ledger.ts";
import type { Host } from "../host/topology.ts";
import { type IdSet, idDifference, idIntersection, idUnion } from "../units/index.ts";
import { onlineCpus } from "./host-cpus.ts";
import type { Plan } from "./types.ts";

/** What a node of the host has left for others. */
export interface NodeLeft {
  readonly node: number;
  readonly cpus: IdSet;
  /** Of ordinary pages, as far as it is bound to this node alone. */
  readonly bytes: number;
}

/** What nobody holds once this guest runs beside the others. */
export function leftOver({ placement }: Plan, host: Host, ledger: Ledger): NodeLeft[] {
  const { cells, vcpus, idleCpus = [] } = placement;
  const held = idUnion([
    ...ledger.map(({ exclusiveCpus }) => exclusiveCpus),
    ...vcpus.map(({ exclusive, hostCpus = [] }) => (exclusive ? hostCpus : [])),
    idleCpus,
  ]);
  const memory = [
    ...ledger.flatMap((holding) => holding.memory ?? []),
    ...cells.map(({ memoryBytes, hostNodes, pageSizeBytes }) => ({
      ...{ bytes: memoryBytes, hostNodes, pageSizeBytes },
    })),
  ];
  const online = onlineCpus(host);
  return host.nodes.map(({ id, cpus, memoryBytes }) => ({
    node: id,
    cpus: idDifference(idIntersection(cpus, online), held),
    bytes: memory
      .filter(({ hostNodes, pageSizeBytes }) => pageSizeBytes === 0 && hostNodes?.join() === String(id))
      .reduce((left, { bytes }) => Math.max(0, left - bytes), memoryBytes),
  }));
}
