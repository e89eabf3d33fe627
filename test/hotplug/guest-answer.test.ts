import { expect, it } from "vitest";
import { refusedEject } from "../../src/hotplug/guest-answer.ts";
import type { GuestEvent } from "../../src/hotplug/operation-wait.ts";

const timestamp = { seconds: 1, microseconds: 0 };
const ost = (source: number, status: number, device?: string): GuestEvent => ({
  event: "ACPI_DEVICE_OST",
  data: {
    info: { slot: "5", "slot-type": "CPU", source, status, ...(device === undefined ? {} : { device }) },
  },
  timestamp,
});

it("hears a refusal in the status of an eject", () => {
  expect(refusedEject(ost(3, 130, "cpu5"))).toEqual({
    device: "cpu5",
    slot: { type: "CPU", number: "5" },
    reason: "it is busy",
  });
  expect(refusedEject(ost(0x103, 1))?.reason).toBe("it failed, without a reason");
  expect(refusedEject(ost(3, 77))?.reason).toBe("ACPI status 77");
});

it("hears none while the guest ejects, when it says that it did, or when it speaks of an addition", () => {
  for (const event of [ost(3, 132), ost(3, 0), ost(1, 1)]) expect(refusedEject(event)).toBeUndefined();
});

it("hears QEMU's own event", () => {
  expect(
    refusedEject({
      event: "DEVICE_UNPLUG_GUEST_ERROR",
      data: { device: "d0", path: "/machine/d0" },
      timestamp,
    }),
  ).toMatchObject({ device: "d0" });
  expect(refusedEject({ event: "DEVICE_DELETED", data: { path: "/machine/d0" }, timestamp })).toBeUndefined();
});
