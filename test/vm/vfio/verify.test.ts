import { expect, it } from "vitest";
import type { QmpClient } from "../../../src/qmp/index.ts";
import { verifyDevices } from "../../../src/vm/vfio/verify.ts";
import { vfioHost } from "../../rig/vfio-host.ts";
import { functions, passed } from "./passed.ts";

/** A QEMU that lists these. */
const qemuWith = (...ids: string[]) =>
  ({
    execute: async () =>
      ids.map((name) => ({ name, type: name === "rng0" ? "child<virtio-rng-pci>" : "child<vfio-pci>" })),
  }) as unknown as QmpClient;

// The last is a companion that the guest does not get.
const list = passed().map((each, index) => (index === 3 ? { ...each, deviceId: undefined } : each));

it("counts what QEMU has of the host's", async () => {
  const { system } = vfioHost(functions);
  expect(await verifyDevices(system.files, list, qemuWith("rng0", "gpu0", "gpu1", "gpu2"))).toBe(3);
});

it("misses what QEMU does not list", async () => {
  const { system } = vfioHost(functions);
  await expect(verifyDevices(system.files, list, qemuWith("rng0", "gpu1"))).rejects.toThrow(
    "QEMU does not list gpu0 (0000:41:00.0), gpu2 (0000:43:00.0)",
  );
});

it("finds a device that did not come back from its reset", async () => {
  const host = vfioHost(functions);
  host.kill("0000:42:00.0");
  await expect(
    verifyDevices(host.system.files, list, qemuWith("gpu0", "gpu1", "gpu2")),
  ).rejects.toMatchObject({ diagnostics: [{ code: "HOST_DEVICE_DEAD" }] });
});
