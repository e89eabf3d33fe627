import type { Diagnostic } from "../../errors/index.ts";
import { describeByteSize } from "../../units/index.ts";
import { capabilities, hasCapability, lockedMemoryLimit, readLimit } from "../limits.ts";
import { placesFor } from "../run-root.ts";
import { firstClosedFolder, mayAccess } from "./access.ts";
import { type CheckContext, error, when } from "./context.ts";

/** Limits, the sandbox and the devices of the kernel that QEMU opens. */
export function checkPrivileges(context: CheckContext): Diagnostic[] {
  return [
    ...checkLockedMemory(context),
    ...checkOpenFiles(context),
    ...checkRunDirectory(context),
    ...checkSeccomp(context),
    ...checkDevices(context),
  ];
}

function checkLockedMemory({ system, plan, account }: CheckContext): Diagnostic[] {
  const { lockedBytes, passthrough } = plan.run;
  const limit = lockedMemoryLimit(system.files, lockedBytes, account === undefined);
  if (typeof limit !== "number" || limit >= lockedBytes) return [];
  return [
    error("HOST_LOCKED_MEMORY", passthrough.length > 0 ? ["passthrough"] : ["memory", "locked"], {
      found: `you may lock ${describeByteSize(limit)}`,
      needed:
        passthrough.length > 0
          ? `${describeByteSize(lockedBytes)}: all that devices of the host may read and write stays in memory`
          : `${describeByteSize(lockedBytes)}: the guest's memory and QEMU's own`,
      fix: `raise the hard limit (memlock in /etc/security/limits.conf, LimitMEMLOCK= of a service), run it as root, or leave ${passthrough.length > 0 ? "the devices" : "locked"} out`,
    }),
  ];
}

function checkOpenFiles({ system, plan }: CheckContext): Diagnostic[] {
  const { openFiles } = plan.run;
  const { hard } = readLimit(system.files, "Max open files");
  const mayRaise = hasCapability(system.files, capabilities.SYS_RESOURCE);
  return when(openFiles !== undefined && openFiles > hard && !mayRaise, () =>
    error("HOST_SANDBOX", ["sandbox", "openFiles"], {
      found: `at most ${hard} files may be open`,
      needed: `${openFiles}`,
      fix: "raise the hard limit (nofile in /etc/security/limits.conf), or make openFiles smaller",
    }),
  );
}

/** Another user must be able to reach its folder below ours. */
function checkRunDirectory({ system, plan, account }: CheckContext): Diagnostic[] {
  if (account === undefined) return [];
  const root = plan.run.directory.slice(0, -plan.name.length - 1);
  const closed = firstClosedFolder(system.files, account, placesFor(root, plan.name).directory);
  return when(closed !== undefined, () =>
    error("HOST_SANDBOX", ["sandbox", "user"], {
      found: `user ${account.uid} may not enter ${closed}, which holds the run directory`,
      needed: "a way for QEMU to its own sockets",
      fix: `chmod o+x ${closed}, or set QLAUNCH_RUN_DIR to another folder`,
    }),
  );
}

function checkSeccomp({ system, plan }: CheckContext): Diagnostic[] {
  const wanted = plan.options.some(({ option }) => option === "sandbox");
  const available = system.files.facts("/proc/sys/kernel/seccomp/actions_avail") !== undefined;
  return when(wanted && !available, () =>
    error("HOST_SANDBOX", ["sandbox", "seccomp"], {
      found: "this kernel has no seccomp filters",
      needed: "them, for QEMU's sandbox",
      fix: "set sandbox.seccomp to false if you trust the guest",
    }),
  );
}

function checkDevices({ system, plan, account }: CheckContext): Diagnostic[] {
  const opens = (path: string) =>
    account === undefined ? system.files.opens(path) : mayAccess(system, account, path, ["read", "write"]);
  const kvm = plan.options.some((option) => option.option === "machine" && option.properties.accel === "kvm");
  const vhostNet = plan.options.some(
    (option) => option.option === "netdev" && option.properties.vhost === true,
  );
  const vsock = plan.options.some(
    (option) => option.option === "device" && option.driver.startsWith("vhost-vsock"),
  );
  return [
    ...when(kvm && !opens("/dev/kvm"), () =>
      error("HOST_KVM", ["machine", "accel"], {
        found: `${account === undefined ? "you" : `user ${account.uid}`} cannot open /dev/kvm`,
        needed: "the right to use KVM",
        fix: "add the user to the group of /dev/kvm (sandbox.groups for another user), or set machine.accel to tcg",
      }),
    ),
    ...when(vhostNet && !opens("/dev/vhost-net"), () =>
      error("HOST_BRIDGE", ["networks"], {
        found: "/dev/vhost-net cannot be opened",
        needed: "it, to serve packets in the kernel",
        fix: "modprobe vhost_net, or set the network's vhost to false",
      }),
    ),
    ...when(vsock && !opens("/dev/vhost-vsock"), () =>
      error("HOST_FILE_MISSING", ["vsock"], {
        found: "/dev/vhost-vsock cannot be opened",
        needed: "it, for sockets between host and guest",
        fix: "modprobe vhost_vsock, or leave vsock out",
      }),
    ),
  ];
}
