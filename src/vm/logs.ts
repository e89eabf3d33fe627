import { refusal } from "../errors/index.ts";
import type { Plan } from "../plan/types.ts";
import type { System } from "../system/index.ts";
import { findVm } from "./find.ts";
import { planFile, transcriptFile } from "./record.ts";

export interface LogChoice {
  /** QEMU's messages, the transcript of our monitor, or what the guest wrote to a console. */
  readonly source: "qemu" | "qmp" | "console";
  /** Default: the first console that is logged. */
  readonly console?: string;
}

/**
 * A VM's log, also after its end as long as the run directory is there. Empty when nothing was written.
 * @throws QlaunchError VM_UNKNOWN, VM_CONSOLE
 */
export function readVmLog(system: System, name: string, choice: LogChoice): string {
  const { places } = findVm(system, name);
  const path = {
    qemu: () => places.logFile,
    qmp: () => transcriptFile(places.directory),
    console: () => consoleLog(system, name, places.directory, choice.console),
  }[choice.source]();
  refuseLink(system, path);
  return system.files.tryReadText(path) ?? "";
}

/** Console logs lie in a folder of QEMU's user, who could lead a reader with more rights elsewhere. */
function refuseLink(system: System, path: string): void {
  if (system.files.facts(path, { followLinks: false })?.kind !== "link") return;
  throw refusal("RUN_DIRECTORY", {
    found: `${path} is a symbolic link`,
    needed: "the log that QEMU made",
    fix: "find out who put it there",
  });
}

function consoleLog(system: System, name: string, directory: string, id: string | undefined): string {
  const plan = JSON.parse(system.files.tryReadText(planFile(directory)) ?? "{}") as Partial<Plan>;
  const logged = (plan.run?.consoles ?? []).filter((console) => console.log !== undefined);
  const found = id === undefined ? logged[0] : logged.find((console) => console.id === id);
  if (found?.log !== undefined) return found.log;
  throw refusal("VM_CONSOLE", {
    found:
      id === undefined ? `${name} has no console that is logged` : `${name} has no logged console "${id}"`,
    needed:
      logged.length > 0
        ? `one of ${logged.map((console) => console.id).join(", ")}`
        : "a serial or virtio console",
    fix: logged.length > 0 ? "name one of these" : "add a console to the profile",
  });
}
