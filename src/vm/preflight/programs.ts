import type { Diagnostic } from "../../errors/index.ts";
import { lockedMemoryLimit } from "../limits.ts";
import { hasDriver, vfioPci } from "../vfio/pci-function.ts";
import { type CheckContext, error, when } from "./context.ts";

/** QEMU, the programs beside it, and those that the start uses. */
export function checkPrograms(context: CheckContext): Diagnostic[] {
  const { system, plan } = context;
  const { find } = system.processes;
  return [
    ...when(find(plan.program) === undefined, () =>
      error("QEMU_ABSENT", [], {
        found: `${plan.program} is not there or cannot be executed`,
        needed: "QEMU's program for x86-64 guests",
        fix: "install it (Debian: apt-get install qemu-system-x86), or name another with --qemu or $QLAUNCH_QEMU",
      }),
    ),
    ...plan.run.helpers.flatMap(({ id, programs }) =>
      when(!programs.some((program) => find(program)), () =>
        error("HOST_PROGRAM_MISSING", [], {
          found: `${id} needs ${programs.join(" or ")}, and none is on this host`,
          needed: "the program",
          fix: `install ${programs[0]?.split("/").at(-1)}`,
        }),
      ),
    ),
    ...launchTools(context)
      .filter(({ program }) => find(program) === undefined)
      .map(({ program, use, debianPackage }) =>
        error("HOST_PROGRAM_MISSING", [], {
          found: `${program}, which ${use}, is not in PATH`,
          needed: `${program}`,
          fix: `install it (Debian: apt-get install ${debianPackage})`,
        }),
      ),
  ];
}

/** Those that are not in util-linux. */
const pinPackages: Readonly<Record<string, string>> = { xargs: "findutils" };

function launchTools({ system, plan, account }: CheckContext) {
  const { placement, run } = plan;
  const pins =
    placement.emulator !== undefined ||
    [...placement.vcpus, ...placement.iothreads].some(({ hostCpus }) => hostCpus !== undefined);
  const limits =
    run.openFiles !== undefined ||
    lockedMemoryLimit(system.files, run.lockedBytes, account === undefined) !== undefined;
  const modules = run.passthrough.length > 0 && !hasDriver(system.files, vfioPci);
  const tool = (program: string, use: string, needed: boolean, debianPackage = "util-linux") =>
    needed ? [{ program, use, debianPackage }] : [];
  return [
    ...system.locks.programs().flatMap((program) => tool(program, "keeps two commands from one VM", true)),
    ...system.affinity
      .programs()
      .flatMap((program) => tool(program, "pins threads", pins, pinPackages[program])),
    ...tool("prlimit", "sets limits", limits),
    ...tool("modprobe", "loads the driver vfio-pci", modules, "kmod"),
    ...tool("setpriv", "makes QEMU run as another user", account !== undefined),
  ];
}
