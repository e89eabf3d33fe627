import type { PlacedVcpu } from "../plan/types.ts";
import type { CpuInfoFast, HotpluggableCpu } from "../qmp/index.ts";
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

/** Every vCPU up to cpus.max, by number, from QEMU's own lists. */
export async function readVcpus({ qmp, plan }: Pick<LiveVm, "qmp" | "plan">): Promise<LiveVcpu[]> {
  const [slots, cpus] = await Promise.all([
    qmp.execute("query-hotpluggable-cpus"),
    qmp.execute("query-cpus-fast"),
  ]);
  return matchVcpus(plan.placement.vcpus, slots, cpus);
}

const peripheral = "/machine/peripheral/";

/** A slot is known by its place in the topology; parts that the machine has one of may be left out of its name. */
export function matchVcpus(
  placed: readonly PlacedVcpu[],
  slots: readonly HotpluggableCpu[],
  cpus: readonly CpuInfoFast[],
): LiveVcpu[] {
  const paths = new Map(
    slots.map(({ props, "qom-path": path }) => [
      key(props["socket-id"], props["die-id"], props["core-id"], props["thread-id"]),
      path,
    ]),
  );
  const threads = new Map(cpus.map((cpu) => [cpu["qom-path"], cpu["thread-id"]]));
  return placed.map((vcpu) => {
    const path = paths.get(key(vcpu.socket, vcpu.die, vcpu.core, vcpu.thread));
    return {
      placed: vcpu,
      present: path !== undefined,
      deviceId: path?.startsWith(peripheral) ? path.slice(peripheral.length) : undefined,
      threadId: path === undefined ? undefined : threads.get(path),
    };
  });
}

const key = (...ids: readonly (number | undefined)[]) => ids.map((id) => id ?? 0).join("/");

export const presentIds = (vcpus: readonly LiveVcpu[]): number[] =>
  vcpus.filter(({ present }) => present).map(({ placed }) => placed.id);
