import type { AnnotatedDevice } from "../profile/index.ts";
import type { Draft } from "./draft.ts";
import { type ChosenFunction, oneFunction, refuseUnknownHost } from "./passthrough-select.ts";

/**
 * What CDI files say of the functions that entries name, and the others of these files as entries of their own.
 * @see https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md
 */
export function withAnnotated(
  draft: Draft,
  chosen: readonly ChosenFunction[],
  annotated: readonly AnnotatedDevice[],
): ChosenFunction[] {
  const byAddress = new Map<string, AnnotatedDevice>();
  for (const device of annotated) {
    const other = byAddress.get(device.address);
    if (other) refuseAgain(draft, device, other);
    else byAddress.set(device.address, device);
  }
  const named = chosen.map((one): ChosenFunction => {
    const device = byAddress.get(one.fn.address);
    return device === undefined ? one : { ...one, annotated: device };
  });
  const known = new Set(named.map(({ fn }) => fn.address));
  const further = [...byAddress.values()].filter(({ address }) => !known.has(address));
  return [...named, ...further.flatMap((device) => ownEntry(draft, device))];
}

function ownEntry(draft: Draft, device: AnnotatedDevice): ChosenFunction[] {
  const { address, path, name } = device;
  const { pci } = draft.host;
  if (!pci) {
    // Entries have been told the same.
    if (draft.profile.passthrough.devices.length === 0) refuseUnknownHost(draft, path);
    return [];
  }
  return oneFunction(draft, pci, address, path, `CDI device ${name} at ${address}`).map((fn) => ({
    fn,
    entry: { address, rom: true },
    path,
    annotated: device,
  }));
}

function refuseAgain(draft: Draft, device: AnnotatedDevice, other: AnnotatedDevice): void {
  draft.refuse("PASSTHROUGH_SELECTION", device.path, {
    found: `CDI device ${device.name} at ${device.address}, where ${other.name} is as well`,
    needed: "each device once",
    fix: "take one of the two out of its file, or give it the bdf of its own function",
  });
}
