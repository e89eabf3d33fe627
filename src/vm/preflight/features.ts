import type { Diagnostic } from "../../errors/index.ts";
import type { CheckContext } from "./context.ts";
import { error } from "./context.ts";

/** Devices and objects of the plan that this QEMU does not have. What extraArgs adds is not looked at. */
export function checkFeatures({ plan, host }: CheckContext): Diagnostic[] {
  const { qemu } = host;
  if (qemu === undefined) return [];
  const devices = new Set(qemu.devices);
  const objects = new Set(qemu.objects);
  const version = `QEMU ${qemu.version.major}.${qemu.version.minor}`;
  const missing = new Map<string, readonly string[]>();
  for (const option of plan.options) {
    if (option.option === "device" && !option.driver.endsWith("-cpu") && !devices.has(option.driver)) {
      missing.set(`device ${option.driver}`, option.because);
    }
    if (option.option === "object" && !objects.has(option.qomType)) {
      missing.set(`object ${option.qomType}`, option.because);
    }
  }
  return [...missing].map(([what, because]) =>
    error("QEMU_FEATURE", [], {
      found: `${version} (${qemu.binary}) has no ${what}, which ${because.join(", ")} asks for`,
      needed: "a QEMU that has it",
      fix: "install the package of QEMU that has it, use a newer QEMU, or leave out what asks for it",
    }),
  );
}
