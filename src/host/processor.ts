import type { Files } from "../system/index.ts";
import type { Processor } from "./topology.ts";

/** What /proc/cpuinfo says of the first CPU. */
export interface ProcessorReading {
  readonly processor: Processor;
  /** The flag of the hardware's virtualization, which KVM needs. */
  readonly virtualization: "vmx" | "svm" | undefined;
}

/** A block is 2 to 4 KiB; the whole file of a large host is megabytes, and asks every CPU for its frequency. */
const firstBlockBytes = 16_384;

/** The narrowest that a 64-bit x86 processor has. */
const leastPhysicalAddressBits = 36;

/** @see https://www.kernel.org/doc/html/latest/arch/x86/cpuinfo.html */
export function readProcessor(files: Files): ProcessorReading {
  const text = files.readStart("/proc/cpuinfo", firstBlockBytes).toString("utf8").split("\n\n")[0] ?? "";
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  const bits = /^(\d+) bits physical/.exec(field("address sizes"))?.[1];
  const flags = field("flags").split(" ");
  return {
    processor: {
      vendor: field("vendor_id"),
      model: field("model name").replace(/\s+/g, " "),
      physicalAddressBits: bits === undefined ? leastPhysicalAddressBits : Number(bits),
    },
    virtualization: (["vmx", "svm"] as const).find((flag) => flags.includes(flag)),
  };
}
