import type { System } from "../system/index.ts";
import { asRefusal } from "./qmp-refusal.ts";
import { openNamedMonitor } from "./session.ts";

/** Sends one QMP command and returns QEMU's answer, as it is. @throws QlaunchError QMP_ERROR and those of opening */
export async function executeQmp(
  system: System,
  name: string,
  command: string,
  args?: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const { qmp, close } = await openNamedMonitor(system, name);
  try {
    return await qmp.executeRaw(command, args);
  } catch (error) {
    throw asRefusal(error, name);
  } finally {
    await close();
  }
}
