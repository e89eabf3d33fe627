import { expect, it } from "vitest";
import { readProcessor } from "../../src/host/processor.ts";
import { fakeSystem } from "../rig/fake-system.ts";

function read(...lines: string[]) {
  return readProcessor(fakeSystem({ "/proc/cpuinfo": `${lines.join("\n")}\n` }).files);
}

const intel = [
  "processor\t: 0",
  "vendor_id\t: GenuineIntel",
  "model name\t: Intel(R) Xeon(R) CPU E7-8895 v2 @ 2.80GHz",
  "flags\t\t: fpu vme vmx sse4_2",
  "vmx flags\t: vnmi preemption_timer",
  "address sizes\t: 46 bits physical, 48 bits virtual",
];

it("reads vendor, model, address width and the virtualization flag", () => {
  expect(read(...intel)).toEqual({
    processor: {
      vendor: "GenuineIntel",
      model: "Intel(R) Xeon(R) CPU E7-8895 v2 @ 2.80GHz",
      physicalAddressBits: 46,
    },
    virtualization: "vmx",
  });
});

it("reads the first block only", () => {
  const other = intel.map((line) => line.replace("46 bits", "40 bits").replace("GenuineIntel", "Other"));
  expect(read(...intel, "", ...other).processor).toMatchObject({
    vendor: "GenuineIntel",
    physicalAddressBits: 46,
  });
});

it("sees AMD's flag", () => expect(read("flags\t\t: fpu svm").virtualization).toBe("svm"));

it("takes a flag whole: vmx_something is not vmx", () =>
  expect(read("flags\t\t: fpu avx vmx_other svme").virtualization).toBeUndefined());

it("does not take the flags of VMX for VMX", () =>
  expect(read("flags\t\t: fpu", "vmx flags\t: vmx").virtualization).toBeUndefined());

it("assumes the narrowest addresses when the kernel does not tell", () =>
  expect(read("vendor_id\t: GenuineIntel").processor.physicalAddressBits).toBe(36));
