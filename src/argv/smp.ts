import type { SmpOption } from "../plan/index.ts";
import { formatProperties } from "./escape.ts";

/** -smp N,maxcpus=... @see https://www.qemu.org/docs/master/system/invocation.html @see src/plan/cpu.ts */
export function formatSmp({ cpus, maxcpus, sockets, dies, cores, threads }: SmpOption): string {
  return [cpus, ...formatProperties({ maxcpus, sockets, dies, cores, threads })].join(",");
}
