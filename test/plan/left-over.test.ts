import { expect, it } from "vitest";
import { leftOver } from "../../src/plan/left-over.ts";
import { formatIdSet } from "../../src/units/index.ts";
import { plan, recordedHost } from "./planning.ts";

const gib = 2 ** 30;

it("is what neither this guest nor the others hold, node by node", () => {
  const host = recordedHost("ol8");
  const ledger = [
    { vm: "other", exclusiveCpus: [15, 75], memory: [{ bytes: 8 * gib, pageSizeBytes: 0, hostNodes: [1] }] },
  ];
  const cells = [{ cpus: "0-1", memory: "2G", hostNodes: "0" }];
  const guest = { memory: { size: "2G" }, numa: { cells }, pinning: { threadPolicy: "isolate" } };
  const left = leftOver(plan(guest, { host, ledger }), host, ledger);
  expect(left.map(({ node, cpus }) => `${node}: ${formatIdSet(cpus)}`)).toEqual([
    "0: 2-14,62-74",
    "1: 16-29,76-89",
    "2: 30-44,90-104",
    "3: 45-59,105-119",
  ]);
  const taken = host.nodes.map(({ memoryBytes }, index) => (memoryBytes - (left[index]?.bytes ?? 0)) / gib);
  expect(taken).toEqual([2, 8, 0, 0]);
});
