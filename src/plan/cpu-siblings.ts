import type { Draft } from "./draft.ts";
import type { Accelerator } from "./machine.ts";
import type { Properties } from "./options.ts";

/**
 * What a processor model needs to show its guest SMT siblings and dies as they are.
 *
 * An AMD model does so only with topoext, which QEMU never turns on by itself for host and max. TCG's max says AMD
 * and has no topoext, so its guests see each thread as a core; as an Intel processor it tells the truth.
 *
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/target/i386/cpu.c (no_autoenable_flags of CPUID_EXT3_TOPOEXT)
 */
export function planSiblingFeatures(
  draft: Draft,
  accelerator: Accelerator,
  topology: { dies: number; threads: number },
): { properties: Properties; because: string[] } {
  const { model, features } = draft.profile.cpus;
  const nothing = { properties: {}, because: [] };
  if ((topology.threads === 1 && topology.dies === 1) || (model !== "host" && model !== "max"))
    return nothing;
  const { vendor } = draft.host.processor;
  if (accelerator === "tcg" && features.vendor === undefined) {
    return decide(draft, { vendor: "GenuineIntel" }, "TCG's own processor says AMD and cannot show siblings");
  }
  if (accelerator === "kvm" && vendor === "AuthenticAMD" && features.topoext === undefined) {
    return decide(draft, { topoext: true }, `the host's processor is ${vendor}`);
  }
  return nothing;
}

function decide(draft: Draft, properties: Properties, fact: string) {
  const because = draft.decide("cpu", "cpu.siblings", {
    value: Object.entries(properties)
      .map(([key, value]) => `${key}=${value === true ? "on" : value}`)
      .join(","),
    rule: "The guest must see which of its CPUs are threads of one core: AMD models need topoext for it, and TCG an Intel vendor.",
    facts: [fact],
    source: "cpuSiblings",
  });
  return { properties, because: [because] };
}
