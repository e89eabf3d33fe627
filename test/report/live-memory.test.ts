import { describe, expect, it } from "vitest";
import type { LiveMemoryDevice, MemoryOutcome } from "../../src/hotplug/index.ts";
import {
  renderMemoryAdded,
  renderMemoryDevices,
  renderMemoryResized,
  styleFor,
} from "../../src/report/index.ts";

const style = styleFor({ isTerminal: false });
const gibibyte = 2 ** 30;

const dimm: LiveMemoryDevice = {
  id: "dimm0",
  kind: "dimm",
  cell: 1,
  sizeBytes: gibibyte,
  maxBytes: gibibyte,
  requestedBytes: undefined,
  blockBytes: undefined,
  slot: 0,
  addressBytes: 4 * gibibyte,
  memdev: "ram-dimm0",
  policy: "bind",
  hostNodes: [0, 1],
  hotplugged: true,
};
const grows: LiveMemoryDevice = {
  ...dimm,
  id: "vmem0",
  kind: "virtio-mem",
  maxBytes: 8 * gibibyte,
  requestedBytes: 2 * gibibyte,
  slot: undefined,
};
const outcome = (changes: Partial<MemoryOutcome>): MemoryOutcome => ({
  name: "vm",
  id: "dimm0",
  device: dimm,
  guest: undefined,
  broughtOnline: false,
  operation: {
    format: 1,
    id: "7",
    kind: "memory-add",
    subject: "dimm dimm0",
    request: {},
    state: "done",
    history: [],
    worker: null,
    problem: null,
  },
  ...changes,
});
const pending = { ...outcome({}).operation, state: "accepted" as const };

it("lists devices with where they are", () => {
  expect(renderMemoryDevices([dimm, grows], style)).toEqual([
    "id     kind                                    size  cell  slot      address  policy  host nodes  backend",
    "dimm0  dimm                                   1 GiB     1     0  0x100000000  bind    0-1         ram-dimm0",
    "vmem0  virtio-mem  1 GiB (2 GiB requested) of 8 GiB     1     -  0x100000000  bind    0-1         ram-dimm0",
  ]);
  expect(renderMemoryDevices([], style)).toEqual(["no memory device"]);
});

describe("memory that was added", () => {
  it("is the guest's to bring online, without an agent", () => {
    const [first, second] = renderMemoryAdded(outcome({}));
    expect(first).toBe("vm has dimm0: dimm of 1 GiB on cell 1, bind host node 0-1");
    expect(second).toContain("the guest brings new memory online itself");
  });

  it("says what the guest runs, where an agent tells", () => {
    const guest = { blockBytes: 1, onlineBytes: 3 * gibibyte, offlineBytes: gibibyte };
    expect(renderMemoryAdded(outcome({ guest }))[1]).toBe("the guest runs 3 GiB, and has 1 GiB offline");
    expect(renderMemoryAdded(outcome({ broughtOnline: true }))[1]).toContain("no guest agent answers");
  });

  it("says nothing of onlining for an NVDIMM", () => {
    const device = { ...dimm, kind: "nvdimm" as const, policy: "default" as const };
    expect(renderMemoryAdded(outcome({ device }))).toEqual([
      "vm has dimm0: nvdimm of 1 GiB on cell 1, in its file",
    ]);
  });

  it("says how far it is", () => {
    expect(renderMemoryAdded(outcome({ operation: pending }))[1]).toBe("operation 7 is accepted");
  });
});

it("says what the guest has of a device after a new size", () => {
  expect(renderMemoryResized(outcome({ id: "vmem0", device: grows, operation: pending }))).toEqual([
    "vmem0 of vm has 1 GiB (2 GiB requested) of 8 GiB",
    "operation 7 is accepted",
  ]);
});
