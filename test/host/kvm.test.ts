import { expect, it } from "vitest";
import { tryAccelerator, whyNotKvm } from "../../src/host/kvm.ts";
import type { ProcessorReading } from "../../src/host/processor.ts";
import { type FakeFile, fakeSystem } from "../rig/fake-system.ts";
import { workshop } from "./workshop.ts";

const kvm = (mode: number): Record<string, FakeFile> => ({
  "/dev/kvm": { facts: { kind: "character", mode } },
});

function why(tree: Record<string, FakeFile>, virtualization: ProcessorReading["virtualization"]) {
  const processor = { vendor: "", model: "", physicalAddressBits: 46 };
  return whyNotKvm(fakeSystem(tree), { processor, virtualization });
}

it("needs /dev/kvm", () => expect(why({}, "vmx")).toContain("/dev/kvm does not exist"));

it("needs it to open", () => expect(why(kvm(0o660), "vmx")).toContain("does not open for this user"));

it("needs the CPU's flag", () => expect(why(kvm(0o666), undefined)).toContain("neither vmx nor svm"));

it.each(["vmx", "svm"] as const)("has no objection before the trial with %s", (flag) =>
  expect(why(kvm(0o666), flag)).toBeUndefined(),
);

it("keeps the words of a QEMU that dies", async () => {
  const { system, program } = workshop();
  const qemu = program("qemu", "echo 'error: failed to set MSR 0x10a to 0x0' >&2; kill -ABRT $$");
  expect(await tryAccelerator(system, qemu, "kvm")).toBe(
    "QEMU does not run a guest with it: error: failed to set MSR 0x10a to 0x0",
  );
});
