import { expect, it } from "vitest";
import type { Ledger } from "../../src/host/index.ts";
import { renderHoldings } from "../../src/report/index.ts";
import { recordedHost } from "../plan/planning.ts";
import { plain } from "./style.ts";

const gib = 2 ** 30;

it("says node by node who has what, and what is left", () => {
  const ledger: Ledger = [
    {
      vm: "train",
      exclusiveCpus: [1, 2, 4],
      memory: [
        { bytes: 32 * gib, pageSizeBytes: gib, hostNodes: [0] },
        { bytes: 32 * gib, pageSizeBytes: gib, hostNodes: [0] },
        { bytes: 8 * gib, pageSizeBytes: 0, hostNodes: [0, 1] },
      ],
      pciFunctions: ["0000:18:00.0", "0000:19:00.0", "0000:9b:00.0"],
    },
    { vm: "small", exclusiveCpus: [], memory: [{ bytes: 2 * gib, pageSizeBytes: 0, hostNodes: undefined }] },
  ];
  const [first, second] = recordedHost("ol8").nodes;
  const pci = recordedHost("hgx-h200").pci ?? [];
  const host = { ...recordedHost("ol8"), nodes: [first, second].flatMap((node) => node ?? []), pci };
  expect(renderHoldings(host, ledger, plain)).toEqual([
    "node  held by  own CPUs        memory                           devices",
    "   0  train    1-2,4           64 x 1 GiB + 8 GiB of nodes 0-1  0000:18:00.0 0000:19:00.0",
    "   0  -        0,3,5-14,60-74  -                                -",
    "   1  train    -               8 GiB of nodes 0-1               0000:9b:00.0",
    "   1  -        15-29,75-89     -                                -",
    " any  small    -               2 GiB                            -",
  ]);
});

it("says nothing where no guest runs", () => {
  expect(renderHoldings(recordedHost("laptop"), [], plain)).toEqual([]);
});
