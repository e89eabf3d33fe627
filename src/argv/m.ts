import type { MemoryOption } from "../plan/index.ts";
import { formatByteSize } from "../units/index.ts";
import { formatProperties } from "./escape.ts";

/** -m size=,slots=,maxmem= @see https://www.qemu.org/docs/master/system/invocation.html @see src/plan/memory.ts */
export function formatMemory({ sizeBytes, slots, maxBytes }: MemoryOption): string {
  const grows = maxBytes > sizeBytes;
  return formatProperties({
    size: formatByteSize(sizeBytes),
    slots: grows && slots > 0 ? slots : undefined,
    maxmem: grows ? formatByteSize(maxBytes) : undefined,
  }).join(",");
}
