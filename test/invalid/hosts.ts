import { readFileSync } from "node:fs";
import type { Host } from "../../src/host/topology.ts";
import type { PlanInput } from "../../src/plan/index.ts";
import { hostWith, workstation } from "../plan/host-pci.ts";

type World = Pick<PlanInput, "host" | "ledger">;

function recorded(name: string): Host {
  return JSON.parse(readFileSync(new URL(`../hosts/${name}.json`, import.meta.url), "utf8"));
}

/** Recorded hosts, and what can be made of one without recording another. */
const variants: Readonly<Record<string, () => World>> = {
  "laptop-without-kvm": () => ({
    host: { ...recorded("laptop"), kvm: { usable: false, reason: "/dev/kvm does not exist" } },
    ledger: [],
  }),
  workstation: () => ({ host: hostWith(workstation), ledger: [] }),
  "workstation-busy": () => ({
    host: hostWith(workstation),
    ledger: [{ vm: "other", exclusiveCpus: [], pciFunctions: ["0000:03:02.0"] }],
  }),
  "workstation-without-iommu": () => ({
    host: hostWith(workstation, { iommu: { enabled: false, vfioPci: "absent", iommufd: false } }),
    ledger: [],
  }),
  "laptop-busy": () => ({ host: recorded("laptop"), ledger: [{ vm: "other", exclusiveCpus: [0, 1, 4, 5] }] }),
};

/** The host of a case: what stands behind the @ of its name. */
export function world(name: string): World {
  return variants[name]?.() ?? { host: recorded(name), ledger: [] };
}
