import type { QmpClient } from "../qmp/index.ts";
import type { System } from "../system/index.ts";
import { asRefusal } from "./qmp-refusal.ts";
import { openNamedMonitor } from "./session.ts";

/** Stops the guest's vCPUs; nothing happens when they are stopped. @throws QlaunchError */
export const pauseVm = (system: System, name: string): Promise<void> =>
  tell(system, name, (qmp) => qmp.execute("stop"));

/** Lets the guest run on. @throws QlaunchError */
export const resumeVm = (system: System, name: string): Promise<void> =>
  tell(system, name, (qmp) => qmp.execute("cont"));

/** The reset button: the guest starts over without being asked. @throws QlaunchError */
export const resetVm = (system: System, name: string): Promise<void> =>
  tell(system, name, (qmp) => qmp.execute("system_reset"));

async function tell(system: System, name: string, work: (qmp: QmpClient) => Promise<unknown>): Promise<void> {
  const monitor = await openNamedMonitor(system, name);
  try {
    await work(monitor.qmp);
  } catch (error) {
    throw asRefusal(error, name);
  } finally {
    await monitor.close();
  }
}
