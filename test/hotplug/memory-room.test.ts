import { describe, expect, it } from "vitest";
import { alignedAddress, checkLiveRoom } from "../../src/hotplug/memory-room.ts";
import { plan } from "../plan/planning.ts";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

describe("room for memory", () => {
  const vm = plan({ memory: { size: "2G", max: "6G", slots: 2 } });
  const dimm = (slot: number, gib: number) => ({ slot, maxBytes: gib * gibibyte });
  const told = (
    devices: readonly { slot: number | undefined; maxBytes: number }[],
    kind: "dimm" | "virtio-mem" | "nvdimm",
    gib: number,
  ) => checkLiveRoom(vm, devices, { id: "new", kind, sizeBytes: gib * gibibyte });

  it("is there up to memory.max", () => {
    expect(told([dimm(0, 1)], "dimm", 3)).toEqual([]);
    expect(told([dimm(0, 1)], "dimm", 3.5)).toMatchObject([
      {
        code: "LIVE_MEMORY_ROOM",
        found: "3.5 GiB for new, and 3 GiB left up to memory.max of 6 GiB",
        fix: "ask for 3G or less, or raise memory.max and start the VM again",
      },
    ]);
  });

  it("needs a slot, but not for virtio-mem", () => {
    const full = [dimm(0, 1), dimm(1, 1)];
    expect(told(full, "virtio-mem", 1)).toEqual([]);
    expect(told(full, "nvdimm", 1)).toMatchObject([
      {
        found: "no slot for new: all 2 are taken",
        fix: 'remove a device, or write "slots": 3 or more in memory and start the VM again',
      },
    ]);
  });

  it("counts the most that a virtio-mem device can have", () => {
    expect(told([{ slot: undefined, maxBytes: 4 * gibibyte }], "dimm", 1)).toMatchObject([
      { fix: "write a memory.max of 7G or more, and start the VM again" },
    ]);
  });

  it("is none in a VM that was started without", () => {
    const fixed = plan({ memory: { size: "2G" } });
    const problems = checkLiveRoom(fixed, [], { id: "new", kind: "dimm", sizeBytes: gibibyte });
    expect(problems.map(({ found }) => found)).toEqual([
      "no slot for new: the VM was started without any",
      "1 GiB for new, and 0 B left up to memory.max of 2 GiB",
    ]);
  });
});

describe("the address of a DIMM", () => {
  const block = 128 * mebibyte;
  const start = 4 * gibibyte;
  const at = (addressBytes: number, mib: number) => ({ addressBytes, maxBytes: mib * mebibyte });

  it("is QEMU's choice where every end is at a block", () => {
    expect(alignedAddress([], block, block)).toBeUndefined();
    expect(alignedAddress([at(start, 256), at(start + 256 * mebibyte, 128)], block, block)).toBeUndefined();
  });

  it("is behind an NVDIMM, at the next block", () => {
    expect(alignedAddress([at(start, 510)], block, block)).toBe(start + 512 * mebibyte);
  });

  it("fits between two others, or goes behind the last", () => {
    const devices = [at(start, 510), at(start + 1024 * mebibyte, 256)];
    expect(alignedAddress(devices, 512 * mebibyte, block)).toBe(start + 512 * mebibyte);
    expect(alignedAddress(devices, 640 * mebibyte, block)).toBe(start + 1280 * mebibyte);
  });
});
