import { refusal } from "../errors/index.ts";
import { vcpuDevice } from "../plan/cpu.ts";
import type { Plan } from "../plan/types.ts";
import { formatIdSet, type IdSet } from "../units/index.ts";
import type { LiveVm } from "./live.ts";
import { checkBudget, countVcpu } from "./vcpu-budget.ts";
import { type LiveVcpu, readVcpus } from "./vcpu-list.ts";
import { PinQueue, pinFor } from "./vcpu-pin.ts";

/**
 * Adds those of the vCPUs that QEMU does not have, lowest first, and puts the thread of each where the plan has it.
 * A thread starts with the CPUs of QEMU's main thread, and runs nothing of the guest's before the guest starts it.
 * @returns what QEMU has afterwards, every thread of `ids` pinned and read back
 * @throws QlaunchError VM_PIN_FAILED; QmpCommandError. Those that were added stay, and their threads are pinned
 */
export async function addVcpus(live: LiveVm, ids: IdSet): Promise<LiveVcpu[]> {
  const pins = new PinQueue(live);
  let vcpus = await readVcpus(live);
  const pin = (id: number) => {
    const vcpu = vcpus.find(({ placed }) => placed.id === id);
    const where = vcpu && pinFor(live, vcpu, vcpus);
    if (where !== undefined) pins.add(where);
  };
  try {
    for (const id of ids) {
      if (!isPresent(vcpus, id)) {
        await addOne(live, id);
        vcpus = await readVcpus(live);
        if (!isPresent(vcpus, id)) throw vanished(live, id);
      }
      pin(id);
    }
  } catch (error) {
    await pins.settle();
    throw error;
  }
  await pins.settle();
  return vcpus;
}

async function addOne(live: LiveVm, id: number): Promise<void> {
  const { qmp, plan } = live;
  const placed = plan.placement.vcpus[id];
  if (placed === undefined) throw new Error(`the plan has no vCPU ${id}`);
  const { driver, id: deviceId, properties } = vcpuDevice(modelOf(plan), placed);
  await checkBudget(live, 1);
  countVcpu(live);
  await qmp.execute("device_add", { driver, id: deviceId, ...properties });
}

function modelOf(plan: Plan): string {
  const cpu = plan.options.find((option) => option.option === "cpu");
  if (cpu === undefined) throw new Error("the plan has no -cpu");
  return cpu.model;
}

const isPresent = (vcpus: readonly LiveVcpu[], id: number) =>
  vcpus.some(({ placed, present }) => placed.id === id && present);

/** QEMU said yes and its list says no. */
function vanished({ name }: LiveVm, id: number) {
  return refusal("QMP_ERROR", {
    found: `QEMU took vCPU ${formatIdSet([id])} and does not list it`,
    needed: "the vCPU in query-hotpluggable-cpus",
    fix: `look at what QEMU says: qlaunch logs ${name}`,
  });
}
