import { expect, it } from "vitest";
import { withPciTree } from "../../src/verify/pci-tree-rows.ts";
import { rowsOf } from "../../src/verify/row.ts";

const bars = (id: string) => rowsOf("device", id)("BARs", "assigned", "assigned");
const state = { numbered: true, deadBridges: [], unmappedBars: [], problems: [] };
const lost = (device: string, bar: number) => ({ device, bar, sizeBytes: 2 ** 38 });
const shown = (rows: ReturnType<typeof withPciTree>) =>
  rows.map(({ what, fact, seen, same }) => `${what} ${fact}: ${seen}${same ? "" : " (not as planned)"}`);

it("leaves the rows as they are when all has addresses", () => {
  const rows = [bars("gpu0"), rowsOf("cell", "0")("vCPUs", "0-1", "0-1")];
  expect(withPciTree(rows, state)).toEqual(rows);
});

it("corrects the row of a device that lacks one, which the guest does not list", () => {
  const rows = [bars("gpu0"), bars("nic0")];
  const unmappedBars = [lost("gpu0", 2), lost("gpu0", 4), lost("gpu1", 2)];
  expect(shown(withPciTree(rows, { ...state, unmappedBars }))).toEqual([
    "gpu0 BARs: BAR 2, 4 without address (not as planned)",
    "nic0 BARs: assigned",
    "gpu1 BARs: BAR 2 without address (not as planned)",
  ]);
});

it("has a row for each dead port", () => {
  expect(shown(withPciTree([], { ...state, deadBridges: ["spare0"] }))).toEqual([
    "spare0 window: dead (not as planned)",
  ]);
});
