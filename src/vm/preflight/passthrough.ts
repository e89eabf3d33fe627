import type { Diagnostic } from "../../errors/index.ts";
import type { PassedFunction } from "../../plan/types.ts";
import { join } from "../../system/index.ts";
import { checkFunctions } from "../vfio/health.ts";
import {
  functionFolder,
  hasDriver,
  nodeAccessFix,
  nodeFor,
  readBinding,
  usesIommufd,
  vfioPci,
} from "../vfio/pci-function.ts";
import { mayAccess } from "./access.ts";
import { error, type FileContext, when } from "./context.ts";

const path = ["passthrough", "devices"];

/**
 * Devices of the host: there as planned, answering, and to be had. Which of them may leave the host at all (their
 * groups, what the host needs, other VMs) are the planner's rules.
 */
export function checkPassthrough(context: FileContext): Diagnostic[] {
  const { system, plan } = context;
  const { passthrough } = plan.run;
  if (passthrough.length === 0) return [];
  const unbound = passthrough.filter(({ address }) => readBinding(system.files, address)?.driver !== vfioPci);
  return [
    ...checkFunctions(system.files, passthrough),
    ...checkModule(context),
    ...checkWritable(context, unbound),
    ...checkContainer(context),
    ...checkNodes(context),
  ];
}

function checkModule({ system }: FileContext): Diagnostic[] {
  const loads = hasDriver(system.files, vfioPci) || system.user.uid === 0;
  return when(!loads, () =>
    error("HOST_IOMMU", path, {
      found: `the driver ${vfioPci} is not loaded, and you are user ${system.user.uid}`,
      needed: "it, which only root can load",
      fix: "as root: modprobe vfio-pci; in every boot with a file in /etc/modules-load.d",
    }),
  );
}

/** Moving a function to another driver is a write to sysfs. */
function checkWritable({ system }: FileContext, unbound: readonly PassedFunction[]): Diagnostic[] {
  const closed = unbound.filter(({ address }) => {
    const file = `${functionFolder(address)}/driver_override`;
    return system.files.facts(file) !== undefined && !system.files.allows(file, "write");
  });
  const addresses = closed.map(({ address }) => address).join(" ");
  const isRoot = system.user.uid === 0;
  return when(closed.length > 0, () =>
    error("HOST_DEVICE_BIND", path, {
      found: isRoot
        ? `sysfs is mounted read-only, and ${addresses} must leave the driver`
        : `you are user ${system.user.uid}, and ${addresses} must leave the driver`,
      needed: `the right to write to ${functionFolder(closed[0]?.address ?? "")}/driver_override`,
      fix: isRoot
        ? "run it outside of the container, or mount sysfs read-write in it"
        : `run it as root, or bind beforehand, as root: qlaunch vfio bind ${addresses}`,
    }),
  );
}

/** What QEMU opens for all groups together. It is there once the modules are loaded. */
function checkContainer({ system, plan, account }: FileContext): Diagnostic[] {
  const iommufd = usesIommufd(plan);
  const node = iommufd ? "/dev/iommu" : "/dev/vfio/vfio";
  if (system.files.facts(node) === undefined) {
    return when(hasDriver(system.files, vfioPci), () =>
      error("HOST_IOMMU", path, {
        found: `there is no ${node}`,
        needed: "the kernel's door to the IOMMU",
        fix: iommufd
          ? 'modprobe iommufd, or set passthrough.backend to "legacy"; a container needs the node of its host'
          : "modprobe vfio_iommu_type1; a container needs /dev/vfio of its host",
      }),
    );
  }
  return when(!mayAccess(system, account, node, ["read", "write"]), () =>
    error("HOST_IOMMU", path, {
      found: `${account === undefined ? "you" : `user ${account.uid}`} may not open ${node}`,
      needed: "the right to read and write it",
      fix: nodeAccessFix(node),
    }),
  );
}

/** What QEMU opens for each: the nodes that are there, and what they will be like when they come. */
function checkNodes(context: FileContext): Diagnostic[] {
  const { system, plan, account } = context;
  const iommufd = usesIommufd(plan);
  const nodes = plan.run.passthrough.map((each) => nodeFor(system.files, each, iommufd));
  const known = [...new Set(nodes.flatMap((node) => node ?? []))];
  const there = known.filter((node) => system.files.facts(node) !== undefined);
  const closed = there.filter((node) => !mayAccess(system, account, node, ["read", "write"]));
  const coming =
    known.find((node) => !there.includes(node)) ?? (nodes.includes(undefined) ? "/dev/vfio/devices/*" : "");
  return [
    ...when(closed.length > 0, () =>
      error("HOST_IOMMU", account === undefined ? path : ["sandbox", "user"], {
        found: `${account === undefined ? "you" : `user ${account.uid}`} may not open ${closed.join(", ")}`,
        needed: "the right to read and write them",
        fix: nodeAccessFix("/dev/vfio/*"),
      }),
    ),
    ...when(coming !== "" && account !== undefined && account.uid !== 0 && !hasUdevRule(context), () =>
      error("HOST_IOMMU", ["sandbox", "user"], {
        found: `the kernel will make ${coming} for root alone, and QEMU runs as user ${account?.uid}`,
        needed: "a rule that gives such nodes to that user",
        fix: nodeAccessFix("/dev/vfio/*"),
      }),
    ),
  ];
}

const ruleFolders = ["/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"];

/** Whether anybody has said who gets the nodes of VFIO; after the binding it shows whether it was right. */
function hasUdevRule({ system: { files } }: FileContext): boolean {
  const rule = /^[^#\n]*SUBSYSTEM=="vfio[^\n]*(?:GROUP|MODE|OWNER|TAG)/m;
  return ruleFolders.some((folder) =>
    (files.list(folder) ?? []).some((name) => rule.test(files.tryReadText(join(folder, name)) ?? "")),
  );
}
