import type { DeviceOption } from "../plan/index.ts";
import { formatProperties } from "./escape.ts";

/** -device DRIVER,id=,bus=,... @see https://www.qemu.org/docs/master/system/device-emulation.html @see src/plan/pcie.ts */
export function formatDevice({ driver, id, properties }: DeviceOption): string {
  return [driver, ...formatProperties({ id, ...properties })].join(",");
}
