import { refusal } from "../errors/index.ts";
import { describeByteSize } from "../units/index.ts";
import { type LiveVm, step } from "./live.ts";
import { type LiveMemoryDevice, noteMemory, readMemoryDevices } from "./memory-list.ts";
import type { Operation } from "./operation.ts";
import type { OperationHandler } from "./operation-handlers.ts";
import { listenToGuest, waitForGuest } from "./operation-wait.ts";

export interface ResizeRequest {
  readonly id: string;
  readonly sizeBytes: number;
}

const requestOf = (operation: Operation) => operation.request as unknown as ResizeRequest;

/**
 * States: requested; accepted, QEMU has the new size; acted, the guest has just that much. A guest that cannot free
 * enough keeps the rest and goes on trying.
 */
export const resizeHandler: OperationHandler = {
  async carryOn(live, journal) {
    const { id, sizeBytes } = requestOf(journal.operation);
    const events = listenToGuest(live);
    try {
      const device = await find(live, id);
      if (device.requestedBytes !== sizeBytes) {
        await step(live, `request ${describeByteSize(sizeBytes)} of ${id}`, () =>
          request(live, id, sizeBytes),
        );
      }
      journal.enter("accepted");
      let now = device.sizeBytes;
      await waitForGuest(live, {
        step: "wait for the guest",
        awaited: () => `made ${id} ${describeByteSize(sizeBytes)}: it has ${describeByteSize(now)}`,
        events,
        look: async () => {
          now = (await find(live, id)).sizeBytes;
          return now === sizeBytes ? true : undefined;
        },
        summarize: () => describeByteSize(sizeBytes),
      });
      journal.enter("acted", `the guest has ${describeByteSize(now)} of ${id}`);
      journal.enter("done");
    } finally {
      events.close();
      await noteMemory(live);
    }
  },

  /** What the guest has becomes what is requested. */
  async cancel(live, journal) {
    const { id } = requestOf(journal.operation);
    const device = await find(live, id);
    await request(live, id, device.sizeBytes);
    await noteMemory(live);
    journal.enter("cancelled", `the guest keeps ${describeByteSize(device.sizeBytes)} of ${id}`);
  },
};

async function request({ qmp }: LiveVm, id: string, sizeBytes: number): Promise<void> {
  await qmp.execute("qom-set", {
    path: `/machine/peripheral/${id}`,
    property: "requested-size",
    value: sizeBytes,
  });
}

async function find({ qmp, name }: LiveVm, id: string): Promise<LiveMemoryDevice> {
  const device = (await readMemoryDevices(qmp)).find((known) => known.id === id);
  if (device !== undefined) return device;
  throw refusal("LIVE_ID_UNKNOWN", {
    found: `${name} has no memory device "${id}" any more`,
    needed: "the device whose size was asked for",
    fix: `qlaunch memory list ${name}`,
  });
}
