import { describeByteSize } from "../units/index.ts";
import type { DeviceRequest, DeviceSite } from "./device-site.ts";
import type { Draft } from "./draft.ts";
import { planCliques } from "./passthrough-clique.ts";
import { nameFunctions } from "./passthrough-ids.ts";
import { type ChosenFunction, deviceMemoryBytes } from "./passthrough-select.ts";
import { guestFunction, type PassedSlot } from "./passthrough-slots.ts";
import type { PcieTree } from "./pcie.ts";
import type { MirroredPlace } from "./pcie-mirror.ts";
import type { PassedFunction } from "./types.ts";

/** What of a request is about the place. */
type Where = Pick<DeviceRequest, "bus" | "cell" | "beside"> & { readonly multifunction?: true };

/** Puts functions of the host on the guest's tree, as QEMU's vfio-pci. */
export class FunctionPlacer {
  private readonly draft: Draft;
  private readonly site: DeviceSite;
  private readonly chosen: readonly ChosenFunction[];
  private readonly iommufd: string | undefined;
  private readonly ids: ReadonlyMap<string, string>;
  private readonly cliques: ReadonlyMap<string, number>;

  /** @param iommufd the object that devices name; undefined for the legacy container */
  constructor(
    draft: Draft,
    site: DeviceSite,
    chosen: readonly ChosenFunction[],
    iommufd: string | undefined,
  ) {
    this.draft = draft;
    this.site = site;
    this.chosen = chosen;
    this.iommufd = iommufd;
    this.ids = nameFunctions(draft, chosen);
    this.cliques = planCliques(draft, chosen);
  }

  /** Each slot on the port that is named, that mirrors the host's, or of its own on the cell of its node. */
  placeSlots(
    slots: readonly PassedSlot[],
    placeOf: ReadonlyMap<string, MirroredPlace>,
    cellOfNode: (node: number) => number | undefined,
  ): void {
    for (const slot of slots) {
      const [first, ...others] = slot.functions;
      if (!first) continue;
      const bus = slot.bus ?? placeOf.get(first.fn.address)?.bus;
      const cell = bus === undefined ? cellOfNode(first.fn.node) : undefined;
      this.place(first, { bus, cell, ...(others.length > 0 ? { multifunction: true } : {}) });
      for (const one of others) {
        const beside = { id: this.idOf(first), function: guestFunction(slot, one) };
        this.place(one, { bus: undefined, beside });
      }
    }
  }

  /** Companions behind one bridge to conventional PCI. */
  placeBehindBridge(tree: PcieTree, companions: readonly ChosenFunction[]): void {
    const [first] = companions;
    if (!first) return;
    const id = "pci-bridge0";
    const because = this.draft.decide("passthrough", "passthrough.bridge", {
      value: companions.map((one) => this.idOf(one)).join(", "),
      rule: "Companions that need no speed share one bridge to conventional PCI, so that they cost no port each.",
      source: "pcie",
    });
    tree.addConventionalBridge(id, first.path, [because]);
    for (const one of companions) this.place(one, { bus: id });
  }

  /** What is bound before QEMU starts, in the order of the profile. */
  passed(): PassedFunction[] {
    return this.chosen.map((one) => ({
      address: one.fn.address,
      deviceId: this.idOf(one),
      iommuGroup: one.fn.iommuGroup ?? -1,
      vendor: one.fn.vendor,
      device: one.fn.device,
      profilePath: one.path,
    }));
  }

  private place(one: ChosenFunction, { multifunction, ...where }: Where): void {
    const { fn, entry, path } = one;
    const id = this.idOf(one);
    const clique = this.cliques.get(fn.address);
    const because = [this.decide(one), "passthrough.backend"];
    this.site.place({
      id,
      driver: "vfio-pci",
      properties: {
        multifunction,
        host: fn.address,
        iommufd: this.iommufd,
        rombar: entry.rom ? undefined : 0,
        "x-pci-vendor-id": entry.identity && Number.parseInt(entry.identity.vendor, 16),
        "x-pci-device-id": entry.identity && Number.parseInt(entry.identity.device, 16),
        "x-nv-gpudirect-clique": clique,
      },
      because,
      path,
      hostAddress: fn.address,
      ...where,
    });
  }

  private decide(one: ChosenFunction): string {
    const { fn, entry, companionOf } = one;
    return this.draft.decide("passthrough", `passthrough.${this.idOf(one)}`, {
      value: `${fn.address}, ${fn.vendor}:${fn.device}`,
      rule: "The function leaves its driver for vfio-pci before QEMU starts and gets it back after QEMU's end. It sits on the port that the profile names or the mirrored tree has for it, else on one of its own on the cell that is bound to its node.",
      facts: [
        fn.node < 0 ? "the firmware tells no node for it" : `host node ${fn.node}`,
        `IOMMU group ${fn.iommuGroup ?? "none"}`,
        `driver ${fn.driver ?? "none"}`,
        `${describeByteSize(deviceMemoryBytes(fn))} of device memory`,
        ...(this.cliques.has(fn.address) ? [`P2P clique ${this.cliques.get(fn.address)}`] : []),
        ...(entry.identity ? [`the guest sees ${entry.identity.vendor}:${entry.identity.device}`] : []),
        ...(companionOf === undefined ? [] : [`comes along for the IOMMU group of ${companionOf}`]),
      ],
      source: "vfio",
    });
  }

  private idOf({ fn }: ChosenFunction): string {
    return this.ids.get(fn.address) ?? "";
  }
}
