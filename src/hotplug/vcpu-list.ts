import type { PlacedVcpu } from "../plan/types.ts";
import type { CpuInfoFast } from "../qmp/index.ts";
import type { LiveVm } from "./live.ts";

/** A planned vCPU as QEMU has it now. */
export interface LiveVcpu {
  readonly placed: PlacedVcpu;
  readonly present: boolean;
  /** What device_del takes; undefined when it is absent, or when -smp made it. */
  readonly deviceId: string | undefined;
  /** Undefined when it is absent. */
  readonly threadId: number | undefined;
}

/** Every vCPU up to cpus.max, by number, from QEMU's own list. */
export async function readVcpus({ qmp, plan }: Pick<LiveVm, "qmp" | "plan">): Promise<LiveVcpu[]> {
  return matchVcpus(plan.placement.vcpus, await qmp.execute("query-cpus-fast"));
}

const peripheral = "/machine/peripheral/";

/** A vCPU is known by its place in the topology; parts that the machine has one of may be left out of its name. */
export function matchVcpus(placed: readonly PlacedVcpu[], cpus: readonly CpuInfoFast[]): LiveVcpu[] {
  const byPlace = new Map(
    cpus.map((cpu) => {
      const { props = {} } = cpu;
      return [key(props["socket-id"], props["die-id"], props["core-id"], props["thread-id"]), cpu];
    }),
  );
  return placed.map((vcpu) => {
    const cpu = byPlace.get(key(vcpu.socket, vcpu.die, vcpu.core, vcpu.thread));
    const path = cpu?.["qom-path"];
    return {
      placed: vcpu,
      present: cpu !== undefined,
      deviceId: path?.startsWith(peripheral) ? path.slice(peripheral.length) : undefined,
      threadId: cpu?.["thread-id"],
    };
  });
}

const key = (...ids: readonly (number | undefined)[]) => ids.map((id) => id ?? 0).join("/");

export const presentIds = (vcpus: readonly LiveVcpu[]): number[] =>
  vcpus.filter(({ present }) => present).map(({ placed }) => placed.id);
