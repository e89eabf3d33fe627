import type { CpuTopology } from "./cpu.ts";
import type { Draft } from "./draft.ts";
import type { Accelerator } from "./machine.ts";
import type { Properties } from "./options.ts";

/** What fits the eight bits of a plain APIC id; 255 is the broadcast. */
const highestPlainApicId = 254;

/**
 * The interrupt controller. In the kernel as a whole, unless interrupts are remapped or vCPUs have ids that need
 * remapping: then KVM keeps the local APICs, and QEMU the rest.
 *
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/hw/i386/x86-common.c (x86_cpus_init)
 */
export function planInterrupts(
  draft: Draft,
  accelerator: Accelerator,
  topology: CpuTopology,
): { properties: Properties; because: string[] } {
  const highest = highestApicId(topology);
  const remapping = draft.profile.machine.viommu?.interruptRemapping === true;
  if (accelerator === "tcg") {
    checkTcg(draft, highest);
    return { properties: {}, because: [] };
  }
  if (!remapping && highest <= highestPlainApicId) return { properties: {}, because: [] };
  const because = draft.decide("machine", "machine.interrupts", {
    value: "kernel-irqchip=split",
    rule: "KVM can remap interrupts, and reach vCPUs with APIC ids above 254, only with the interrupt controller split between it and QEMU.",
    facts: [
      `the highest APIC id is ${highest}`,
      remapping ? "the guest's IOMMU remaps interrupts" : "no IOMMU remaps interrupts",
    ],
    source: "kvm",
  });
  return { properties: { "kernel-irqchip": "split" }, because: [because] };
}

function checkTcg(draft: Draft, highest: number): void {
  const { qemu } = draft.host;
  if (highest <= highestPlainApicId || !qemu || qemu.version.major >= 9) return;
  draft.refuse("QEMU_FEATURE", ["cpus", draft.profile.cpus.max === undefined ? "boot" : "max"], {
    found: `vCPUs with APIC ids up to ${highest} under TCG of QEMU ${qemu.version.major}.${qemu.version.minor}`,
    needed: `ids up to ${highestPlainApicId}, KVM, or QEMU 9.0 or newer`,
    fix: "use fewer vCPUs; counts of cores and threads that are powers of two leave no gaps between the ids",
  });
}

/** Each level of the topology takes whole bits of the id. */
export function highestApicId({ sockets, dies, cores, threads }: CpuTopology): number {
  let id = sockets - 1;
  for (const count of [dies, cores, threads]) id = id * 2 ** Math.ceil(Math.log2(count)) + count - 1;
  return id;
}
