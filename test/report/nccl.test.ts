import { expect, it } from "vitest";
import type { NcclPrediction } from "../../src/nccl/index.ts";
import { renderNccl } from "../../src/report/nccl.ts";
import { predicted } from "../nccl/board.ts";
import { plain } from "./style.ts";

const device = (
  name: string,
  guestAddress: string,
  hostAddress: string,
): NcclPrediction["devices"][number] => ({
  ...{ name, id: name.toLowerCase(), guestAddress, hostAddress, guestNode: 0, hostNode: 0 },
  kind: name.startsWith("GPU") ? "GPU" : "NIC",
  guestGBs: 0.1875,
  hostGBs: 48,
});
const pair = (one: string, other: string, guest: "PIX" | "PHB", host: "PIX" | "NODE") =>
  ({
    devices: [one, other],
    guest,
    host,
    nccl: { guest, host: host === "NODE" ? "PHB" : host },
  }) as const;
const prediction: NcclPrediction = {
  devices: [
    device("GPU0", "0000:23:00.0", "0000:19:00.0"),
    { ...device("GPU1", "0000:29:00.0", "0000:3b:00.0"), guestNode: undefined, guestGBs: undefined },
    device("NIC0", "0000:24:00.0", "0000:1a:00.0"),
  ],
  pairs: [
    pair("GPU0", "GPU1", "PHB", "NODE"),
    pair("GPU0", "NIC0", "PIX", "PIX"),
    pair("GPU1", "NIC0", "PHB", "NODE"),
  ],
};

it("draws the guest's matrix and the host's, marks where they differ, and explains the words that it uses", () => {
  expect(renderNccl(prediction, plain)).toEqual([
    "      device  guest         node  GB/s  host          node  GB/s",
    "GPU0  gpu0    0000:23:00.0     0   0.2  0000:19:00.0     0  48.0",
    "GPU1  gpu1    0000:29:00.0  none     -  0000:3b:00.0     0  48.0",
    "NIC0  nic0    0000:24:00.0     0   0.2  0000:1a:00.0     0  48.0",
    "",
    "nvidia-smi topo -m in the guest",
    "      GPU0  GPU1  NIC0",
    "GPU0  X     PHB*  PIX",
    "GPU1  PHB*  X     PHB*",
    "NIC0  PIX   PHB*  X",
    "",
    "nvidia-smi topo -m on the host",
    "      GPU0   GPU1   NIC0",
    "GPU0  X      NODE*  PIX",
    "GPU1  NODE*  X      NODE*",
    "NIC0  PIX    NODE*  X",
    "",
    "* 2 pairs of 3 not as on the host",
    "PIX at most one switch between, PHB by the host bridge, NODE by host bridges of one node",
    "NCCL says PHB where it is NODE here",
    "GPUs that NVLink joins are NV# instead: PCI does not show it",
  ]);
});

it("fits a board of 8 GPUs and 8 NICs into 120 columns", () => {
  const lines = renderNccl(predicted("hgx-h200").prediction, plain);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(120);
});

it("draws no second matrix where the host says the same", () => {
  const same = { ...prediction, pairs: [pair("GPU0", "NIC0", "PIX", "PIX")] };
  const lines = renderNccl(same, plain);
  expect(lines).toContain("The host says the same of each pair.");
  expect(lines.filter((line) => line.startsWith("nvidia-smi"))).toHaveLength(1);
  expect(lines.join("\n")).not.toContain("NVLink");
});

it("says so when there is nothing to tell of", () => {
  expect(renderNccl({ devices: [], pairs: [] }, plain)).toEqual([
    "No GPU or NIC of the host is passed through.",
  ]);
});
