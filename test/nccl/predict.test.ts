import { describe, expect, it } from "vitest";
import type { NcclPrediction } from "../../src/nccl/index.ts";
import { predicted } from "./board.ts";

const kinds = ({ pairs }: NcclPrediction, of: "GPU GPU" | "GPU NIC") =>
  pairs.filter(({ devices }) => devices.map((name) => name.slice(0, 3)).join(" ") === of);

/** How many pairs say what: { "PIX on the host, PIX in the guest": 8 }. */
function counts(pairs: NcclPrediction["pairs"], words: (pair: NcclPrediction["pairs"][number]) => string) {
  const found: Record<string, number> = {};
  for (const pair of pairs) found[words(pair)] = (found[words(pair)] ?? 0) + 1;
  return found;
}

describe("an HGX board", () => {
  it("with an expander bus for each root complex is the host's for every pair", () => {
    const { prediction } = predicted("hgx-h200", { pcie: { mirror: true } });
    const both = ({ host, guest }: NcclPrediction["pairs"][number]) => `${host} ${guest}`;
    expect(counts(kinds(prediction, "GPU GPU"), both)).toEqual({ "NODE NODE": 12, "SYS SYS": 16 });
    expect(counts(kinds(prediction, "GPU NIC"), both)).toEqual({
      "PIX PIX": 8,
      "NODE NODE": 24,
      "SYS SYS": 32,
    });
  });

  it("with one for each node has one host bridge where the host has several, and is the same for NCCL", () => {
    const { prediction } = predicted("hgx-h200");
    const gpus = kinds(prediction, "GPU GPU");
    expect(counts(gpus, ({ host, guest }) => `${host} ${guest}`)).toEqual({ "NODE PHB": 12, "SYS SYS": 16 });
    expect(counts(gpus, ({ nccl }) => `${nccl.host} ${nccl.guest}`)).toEqual({
      "PHB PHB": 12,
      "SYS SYS": 16,
    });
    expect(prediction.pairs.find(({ devices }) => devices.join() === "GPU0,NIC0")).toEqual({
      devices: ["GPU0", "NIC0"],
      guest: "PIX",
      host: "PIX",
      nccl: { guest: "PIX", host: "PIX" },
    });
  });

  it("is counted by the links of its switches", () => {
    const { prediction } = predicted("hgx-h200");
    expect(prediction.devices.map(({ name }) => name)).toEqual(
      ["GPU", "NIC"].flatMap((kind) => Array.from({ length: 8 }, (_, index) => `${kind}${index}`)),
    );
    for (const { hostGBs, guestGBs } of prediction.devices) {
      expect(hostGBs).toBe(48);
      // What NCCL prints as 0.2.
      expect(guestGBs).toBe(0.1875);
    }
  });

  it("is flat on a guest with root ports alone: nothing is near, and its links are fast", () => {
    const { prediction } = predicted("hgx-h200", { pcie: { mirror: false, tree: [] } });
    const pairs = kinds(prediction, "GPU NIC");
    expect(counts(pairs, ({ host, guest }) => `${host} ${guest}`)).toEqual({
      "PIX PHB": 8,
      "NODE PHB": 24,
      "SYS SYS": 32,
    });
    expect(prediction.devices.map(({ guestGBs }) => guestGBs)).toEqual(Array(16).fill(24));
  });
});

it("two DPUs have their GPU behind a second switch, on the host and in the guest", () => {
  const { prediction } = predicted("a100x-dpu");
  const words = prediction.pairs.map(({ devices, host, guest }) => `${devices.join("-")} ${host} ${guest}`);
  expect(words).toEqual([
    "GPU0-GPU1 SYS SYS",
    "GPU0-NIC0 PXB PXB",
    "GPU0-NIC1 PXB PXB",
    "GPU0-NIC2 SYS SYS",
    "GPU0-NIC3 SYS SYS",
    "GPU1-NIC0 SYS SYS",
    "GPU1-NIC1 SYS SYS",
    "GPU1-NIC2 PXB PXB",
    "GPU1-NIC3 PXB PXB",
    // Two ports of one NIC.
    "NIC0-NIC1 PIX PIX",
    "NIC0-NIC2 SYS SYS",
    "NIC0-NIC3 SYS SYS",
    "NIC1-NIC2 SYS SYS",
    "NIC1-NIC3 SYS SYS",
    "NIC2-NIC3 PIX PIX",
  ]);
});
