import { refusal } from "../errors/index.ts";
import { vcpuDevice } from "../plan/cpu.ts";
import type { PlacedVcpu, Plan } from "../plan/types.ts";
import type { IdSet } from "../units/index.ts";
import type { LiveVm } from "./live.ts";
import { readBudget } from "./vcpu-budget.ts";
import { type LiveVcpu, readVcpus } from "./vcpu-list.ts";
import { PinQueue, pinFor } from "./vcpu-pin.ts";

/**
 * Adds those of the vCPUs that QEMU does not have, lowest first, and puts the thread of each where the plan has it.
 * A thread starts with the CPUs of QEMU's main thread, and runs nothing of the guest's before the guest starts it.
 * @returns what QEMU has afterwards, every thread of `ids` pinned and read back
 * @throws QlaunchError VM_PIN_FAILED, LIVE_VCPU_TCG; QmpCommandError. Those that were added stay, and are pinned
 */
export async function addVcpus(live: LiveVm, ids: IdSet): Promise<LiveVcpu[]> {
  const before = await readVcpus(live);
  const pins = new PinQueue(live);
  const pin = (vcpu: LiveVcpu) => {
    const where = pinFor(live, vcpu, before);
    if (where !== undefined) pins.add(where);
  };
  const wanted = before.filter(({ placed }) => ids.includes(placed.id));
  const missing = wanted.filter(({ present }) => !present);
  try {
    for (const vcpu of wanted.filter(({ present }) => present)) pin(vcpu);
    if (missing.length > 0) await addMissing(live, missing, pin);
  } catch (error) {
    await pins.settle();
    throw error;
  }
  await pins.settle();
  return missing.length === 0 ? before : checkListed(live, ids, await readVcpus(live));
}

async function addMissing(
  live: LiveVm,
  missing: readonly LiveVcpu[],
  pin: (vcpu: LiveVcpu) => void,
): Promise<void> {
  const budget = await readBudget(live);
  budget.check(missing.length);
  budget.take(missing.length);
  let asked = 0;
  try {
    for (const { placed } of missing) {
      asked++;
      pin({ placed, present: true, ...(await addOne(live, placed)) });
    }
  } finally {
    if (asked < missing.length) budget.giveBack(missing.length - asked);
  }
}

/** @returns its id and its thread */
async function addOne({ qmp, plan }: LiveVm, placed: PlacedVcpu) {
  const { driver, id, properties } = vcpuDevice(modelOf(plan), placed);
  // Sent together: QEMU answers in order, and waits for nobody in between.
  const [, cpus] = await Promise.all([
    qmp.execute("device_add", { driver, id, ...properties }),
    qmp.execute("query-cpus-fast"),
  ]);
  return { deviceId: id, threadId: cpus.find((cpu) => cpu["cpu-index"] === placed.id)?.["thread-id"] };
}

function modelOf(plan: Plan): string {
  const cpu = plan.options.find((option) => option.option === "cpu");
  if (cpu === undefined) throw new Error("the plan has no -cpu");
  return cpu.model;
}

/** QEMU said yes to each; only its list counts. */
function checkListed({ name }: LiveVm, ids: IdSet, vcpus: LiveVcpu[]): LiveVcpu[] {
  const lost = vcpus.find(({ placed, present }) => ids.includes(placed.id) && !present);
  if (lost === undefined) return vcpus;
  throw refusal("QMP_ERROR", {
    found: `QEMU took vCPU ${lost.placed.id} and does not list it`,
    needed: "the vCPU in query-hotpluggable-cpus",
    fix: `look at what QEMU says: qlaunch logs ${name}`,
  });
}
