import { expect, it } from "vitest";
import type { Host } from "../../src/host/index.ts";
import { problems, recordedHost } from "./planning.ts";

function hostWithout(...types: string[]): Host {
  const host = recordedHost("laptop");
  if (!host.qemu) throw new Error("no QEMU");
  const without = (names: readonly string[]) => names.filter((name) => !types.includes(name));
  const { devices, objects } = host.qemu;
  return { ...host, qemu: { ...host.qemu, devices: without(devices), objects: without(objects) } };
}

const disks = [
  { id: "a", file: "/a", format: "raw", device: "nvme" },
  { id: "b", file: "/b", format: "raw", device: "nvme" },
];

it("refuses what the installed QEMU was built without, once a type", () => {
  expect(problems({ disks, iothreads: ["io"] }, { host: hostWithout("nvme", "iothread") })).toEqual([
    "QEMU_FEATURE (profile): this QEMU has no object of type iothread, which io is; a QEMU with iothread",
    "QEMU_FEATURE (profile): this QEMU has no device of type nvme, which a is; a QEMU with nvme",
  ]);
});

it("accepts what it has, and everything where nobody asked", () => {
  expect(problems({ disks })).toEqual([]);
  const host = recordedHost("laptop");
  const unasked = { ...host, ...(host.qemu ? { qemu: { ...host.qemu, devices: [], objects: [] } } : {}) };
  expect(problems({ disks }, { host: unasked })).toEqual([]);
});
