import type { Result } from "../errors/index.ts";
import { readPci } from "../host/index.ts";
import { type LiveFacts, LiveSite, type PlannedAddition, type PortWish } from "../hotplug/index.ts";
import { planPassedDevice } from "../plan/passthrough.ts";
import type { Profile } from "../profile/index.ts";
import type { System } from "../system/index.ts";
import { readLedger } from "../vm/index.ts";
import { finishDraft, liveDraft } from "./live-plan.ts";

/**
 * A function of the host for a running VM, by the rules of a profile's: on the port that is named, or on one of the
 * cell that is bound to its node.
 * @param address as sysfs spells it
 */
export async function planPassed(
  system: System,
  address: string,
  profile: Profile,
  facts: LiveFacts,
  id: string | undefined,
  wish: PortWish,
): Promise<Result<PlannedAddition>> {
  const { plan } = facts;
  // What this VM has already is taken as well, which a start of it need not say.
  const ledger = readLedger(system);
  const draft = liveDraft(system, profile, {}, { ...readPci(system.files), ledger });
  // A name that is made up must be free in the running VM.
  if (id === undefined) for (const device of await facts.devices()) draft.claimId("device", device.id, []);
  const iommufd = plan.options.find((option) => option.option === "object" && option.qomType === "iommufd");
  const passthrough = planPassedDevice(
    draft,
    new LiveSite(draft, await facts.ports(), wish),
    { address, id, bus: wish.bus, rom: true },
    plan.placement.cells,
    iommufd?.option === "object" ? iommufd.id : undefined,
  );
  return finishDraft(draft, passthrough[0]?.deviceId ?? "", { passthrough });
}
