import { QlaunchError, refusal } from "../../errors/index.ts";
import type { PassedFunction } from "../../plan/types.ts";
import type { QmpClient } from "../../qmp/index.ts";
import type { Files } from "../../system/index.ts";
import { checkFunctions } from "./health.ts";

const peripheral = "/machine/peripheral";

/**
 * Whether QEMU has every function that the guest shall get, and whether each still answers: QEMU resets them.
 * @returns how many it has
 * @throws QlaunchError VM_START_FAILED, HOST_DEVICE_DEAD
 */
export async function verifyDevices(
  files: Files,
  functions: readonly PassedFunction[],
  qmp: QmpClient,
): Promise<number> {
  const list = await qmp.execute("qom-list", { path: peripheral });
  const present = new Map(list.map(({ name, type }) => [name, type]));
  const passed = functions.filter(({ deviceId }) => deviceId !== undefined);
  const missing = passed.filter(({ deviceId = "" }) => present.get(deviceId) !== "child<vfio-pci>");
  const dead = checkFunctions(files, passed);
  if (dead.length > 0) throw new QlaunchError(dead);
  if (missing.length === 0) return passed.length;
  throw refusal("VM_START_FAILED", {
    found: `QEMU does not list ${missing.map(({ deviceId, address }) => `${deviceId} (${address})`).join(", ")}`,
    needed: "every device of the plan in QEMU's own list",
    fix: "see QEMU's words; qlaunch plan --format explain tells where each option comes from",
  });
}
