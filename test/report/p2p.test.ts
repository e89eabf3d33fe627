import { expect, it } from "vitest";
import type { PlannedDevice } from "../../src/plan/index.ts";
import type { P2pPair } from "../../src/plan/p2p.ts";
import { renderP2p } from "../../src/report/p2p.ts";
import { plain } from "./style.ts";

const addresses = ["0000:19:00.0", "0000:1a:00.0", "0000:aa:00.0"] as const;
const devices = addresses.map(
  (hostAddress, index): PlannedDevice => ({
    id: ["gpu0", "nic0", "gpu1"][index] ?? "",
    driver: "vfio-pci",
    bus: "dp0",
    slot: 0,
    function: 0,
    numaNode: 0,
    hostAddress,
  }),
);
const [gpu, nic, far] = addresses;
const pairs: P2pPair[] = [
  {
    devices: [gpu, nic],
    relation: "switch",
    routes: ["root-complex", "direct"],
    reasons: [{ code: "no-ats", at: gpu }],
  },
  {
    devices: [gpu, far],
    relation: "across",
    routes: ["unproven", "unproven"],
    reasons: [{ code: "between-root-complexes" }],
  },
  {
    devices: [nic, far],
    relation: "across",
    routes: ["unproven", "none"],
    reasons: [{ code: "between-root-complexes" }, { code: "redirected", at: "0000:17:01.0" }],
  },
];

it("draws a row of requests for each device, explains the signs that it uses, and names what stands behind them", () => {
  expect(renderP2p(pairs, devices, plain)).toEqual([
    "P2P: requests of a device (row) to the memory of another (column)",
    "     device  address       0   1   2",
    "  0  gpu0    0000:19:00.0  .   S~  A?",
    "  1  nic0    0000:1a:00.0  S=  .   A?",
    "  2  gpu1    0000:aa:00.0  A?  A-  .",
    "  S below one switch, A on two nodes",
    "  = direct, ~ by the root complex and its IOMMU, ? up to the processor, not proven, - not possible",
    "  gpu0: without ATS, or with ATS off: the IOMMU has to translate each request",
    "  between root complexes it is up to the processor",
    "  0000:17:01.0: sends translated requests up as well (ACS DirectTrans is off): qlaunch acs apply",
  ]);
});

it("is nothing where there are no pairs", () => {
  expect(renderP2p([], devices, plain)).toEqual([]);
});
