import type { CpuOption, MachineOption } from "../plan/index.ts";
import { formatProperties } from "./escape.ts";

/** -machine TYPE,... @see https://www.qemu.org/docs/master/system/invocation.html @see src/plan/machine.ts */
export function formatMachine(option: MachineOption): string {
  return [option.type, ...formatProperties(option.properties)].join(",");
}

/** -cpu MODEL,... @see https://www.qemu.org/docs/master/system/i386/cpu.html @see src/plan/cpu.ts */
export function formatCpu(option: CpuOption): string {
  return [option.model, ...formatProperties(option.properties)].join(",");
}
