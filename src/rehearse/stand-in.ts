import type { PciFunction } from "../host/topology.ts";
import type { StandIn } from "../profile/index.ts";

/**
 * The emulated device that stands for one of hardware: of its kind where QEMU has one, so that rules that go by the
 * class hold in a rehearsal as well.
 * @see https://pcisig.com/specifications (PCI Code and ID Assignment)
 */
export function standInFor({ class: code }: Pick<PciFunction, "class">): StandIn["device"] {
  if (code.startsWith("03")) return "display";
  if (code.startsWith("02")) return "network";
  if (code.startsWith("0108")) return "nvme";
  return "accelerator";
}
