import { type QlaunchError, type Result, refusal } from "../errors/index.ts";
import { type LiveFacts, LiveSite, type PlannedAddition, type PortWish } from "../hotplug/index.ts";
import { planDisks } from "../plan/disks.ts";
import { planNetworks } from "../plan/networks.ts";
import type { PropertyValue } from "../plan/options.ts";
import { type Disk, type Network, type Profile, resolvePath } from "../profile/index.ts";
import type { System } from "../system/index.ts";
import { macAddressFor } from "../units/index.ts";
import { accelerator, finishDraft, freeId, liveDraft } from "./live-plan.ts";
import { usage } from "./usage.ts";

export async function planDisk(
  system: System,
  given: Omit<Disk, "id"> & { readonly id?: string | undefined },
  profile: Profile,
  facts: LiveFacts,
  flagId: string | undefined,
  wish: PortWish,
): Promise<Result<PlannedAddition>> {
  const id = oneId(given.id, flagId) ?? (await freeId("disk", facts));
  const file = resolvePath(system.user.workingDirectory, given.file);
  const bus = given.bus ?? wish.bus;
  const disk: Disk = { ...given, id, file, bus };
  if (disk.device === "sata" || disk.device === "cdrom") {
    throw refusal("LIVE_DEVICE_KIND", {
      found: `a ${disk.device} disk for a running VM`,
      needed: "virtio-blk, virtio-scsi or nvme: the board's SATA ports take nothing while the guest runs",
      fix: 'write "device": "virtio-blk", or add it to the profile and start the VM again',
    });
  }
  if (disk.boot !== undefined) throw bootOrder("disk");
  const draft = liveDraft(system, profile, { disks: [disk] });
  const ports = await facts.ports();
  const isInCell = ({ bus }: { readonly bus: string }) =>
    wish.cell === undefined || ports.find((port) => port.id === bus)?.cell === wish.cell;
  const controllers = disk.device === "virtio-scsi" ? await facts.controllers() : [];
  planDisks(draft, new LiveSite(draft, ports, wish), controllers.filter(isInCell));
  return finishDraft(draft, id);
}

export async function planNetwork(
  system: System,
  given: Omit<Network, "id"> & { readonly id?: string | undefined },
  profile: Profile,
  facts: LiveFacts,
  flagId: string | undefined,
  wish: PortWish,
): Promise<Result<PlannedAddition>> {
  const id = oneId(given.id, flagId) ?? (await freeId("net", facts));
  const network: Network = { ...given, id, bus: given.bus ?? wish.bus };
  if (network.boot !== undefined) throw bootOrder("network");
  const { plan } = facts;
  const spawns = plan.options.some(
    (option) => option.option === "sandbox" && option.properties.spawn !== "deny",
  );
  const sandboxed = plan.options.some((option) => option.option === "sandbox");
  if (network.bridge !== undefined && sandboxed && !spawns) {
    throw refusal("LIVE_DEVICE_KIND", {
      found: `bridge ${network.bridge} for a running VM whose sandbox lets QEMU start no program`,
      needed: "a tap device, or a VM that was started with a bridge",
      fix: `make a tap device on the bridge and write "tap"; or add the network to the profile and start the VM again`,
    });
  }
  const draft = liveDraft(system, profile, { networks: [network] });
  const mac = network.mac ?? macAddressFor(profile.name, id);
  const other = [...(await facts.macs())].find(([, address]) => address === mac)?.[0];
  if (other !== undefined) {
    draft.refuse("ID_DUPLICATE", ["networks", 0, network.mac === undefined ? "id" : "mac"], {
      found: `${mac} for ${id}, which ${other} has`,
      needed: "a MAC address of its own for each card",
      fix: "write another address, or leave mac out",
    });
  }
  const needs = planNetworks(draft, new LiveSite(draft, await facts.ports(), wish), accelerator(plan));
  return finishDraft(draft, id, needs);
}

/** QEMU's own words for a device: what it is and needs is outside of our checks. */
export async function planRaw(
  system: System,
  raw: Readonly<Record<string, unknown>>,
  profile: Profile,
  facts: LiveFacts,
  flagId: string | undefined,
  wish: PortWish,
): Promise<Result<PlannedAddition>> {
  const { driver, id: rawId, bus, ...properties } = raw;
  if (typeof driver !== "string" || (rawId !== undefined && typeof rawId !== "string")) {
    throw usage(
      `an object with ${typeof driver === "string" ? "an id that is no text" : "no driver"}`,
      'what device_add takes: {"driver": "...", "id": "...", ...}',
      "see: qemu-system-x86_64 -device help",
    );
  }
  const id = oneId(rawId, flagId) ?? (await freeId("dev", facts));
  const draft = liveDraft(system, profile, {});
  const because = draft.decide("extra", `device.${id}`, {
    value: driver,
    rule: "Passed on as it is. The plan does not know what it does, and its checks do not cover it.",
    source: "commands",
  });
  const own = properties as Readonly<Record<string, PropertyValue>>;
  const named = typeof bus === "string" ? bus : wish.bus;
  const ports = await facts.ports();
  const isPort = named === undefined || ports.some((port) => port.id === named);
  if (isPort && own.addr === undefined && (await facts.isPci(driver))) {
    const site = new LiveSite(draft, ports, wish);
    site.place({ id, driver, properties: own, because: [because], path: [], bus: named });
  } else {
    draft.add({ option: "device", driver, id, properties: { bus: named, ...own }, because: [because] });
  }
  return finishDraft(draft, id);
}

function oneId(inText: string | undefined, flag: string | undefined): string | undefined {
  if (inText === undefined || flag === undefined || inText === flag) return inText ?? flag;
  throw usage(`the id "${inText}" and --id ${flag}`, "one id", "leave one of them out");
}

function bootOrder(kind: string): QlaunchError {
  return refusal("LIVE_DEVICE_KIND", {
    found: `a place in the boot order for a ${kind} that comes later`,
    needed: "no boot: the firmware has its order from the start",
    fix: "leave boot out",
  });
}
