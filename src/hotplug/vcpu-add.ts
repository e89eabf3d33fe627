import { refusal } from "../errors/index.ts";
import { vcpuDevice } from "../plan/cpu.ts";
import type { Plan } from "../plan/types.ts";
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
    for (let first = 0; first < missing.length; first += groupSize) {
      const group = missing.slice(first, first + groupSize);
      asked += group.length;
      await addGroup(live, group, pin);
    }
  } finally {
    if (asked < missing.length) budget.giveBack(missing.length - asked);
  }
}

/** A question for each would take a third of the time; the threads of so few are on QEMU's own CPUs for a moment only. */
const groupSize = 8;

/** Sent together: QEMU answers in order, and waits for nobody in between. Those that came are pinned, also when one did not. */
async function addGroup(
  { qmp, plan }: LiveVm,
  group: readonly LiveVcpu[],
  pin: (vcpu: LiveVcpu) => void,
): Promise<void> {
  const devices = group.map(({ placed }) => vcpuDevice(modelOf(plan), placed));
  const adding = devices.map(({ driver, id, properties }) =>
    qmp.execute("device_add", { driver, id, ...properties }),
  );
  const [outcomes, vcpus] = await Promise.all([Promise.allSettled(adding), readVcpus({ qmp, plan })]);
  for (const { placed } of group) {
    const vcpu = vcpus.find((listed) => listed.placed.id === placed.id);
    if (vcpu?.present === true) pin(vcpu);
  }
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
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
    needed: "the vCPU in query-cpus-fast",
    fix: `look at what QEMU says: qlaunch logs ${name}`,
  });
}
