import type { Diagnostic } from "../../errors/index.ts";
import { mayAccess } from "./access.ts";
import { error, type FileContext, when } from "./context.ts";

const interfaces = "/sys/class/net";
const accessList = "/etc/qemu/bridge.conf";
const path = ["networks"];

/** Bridges and taps that exist and that QEMU may use. */
export function checkNetworks(context: FileContext): Diagnostic[] {
  const { bridges, taps } = context.plan.run;
  return [
    ...bridges.flatMap((bridge) => checkBridge(context, bridge.name, bridge.helper)),
    ...when(bridges.length + taps.length > 0 && !tunOpens(context), () =>
      error("HOST_BRIDGE", path, {
        found: "/dev/net/tun cannot be opened",
        needed: "the device behind every tap",
        fix: "modprobe tun, or run it as a user who may open it",
      }),
    ),
    ...taps.flatMap((tap) => checkTap(context, tap)),
  ];
}

/** The helper of a bridge opens it with rights of its own. */
function tunOpens({ system, account, plan }: FileContext): boolean {
  if (plan.run.taps.length === 0) return system.files.facts("/dev/net/tun") !== undefined;
  return mayAccess(system, account, "/dev/net/tun", ["read", "write"]);
}

function checkBridge({ system, account }: FileContext, name: string, helper: string): Diagnostic[] {
  const { files, user } = system;
  if (files.facts(`${interfaces}/${name}/bridge`) === undefined) {
    const exists = files.facts(`${interfaces}/${name}`) !== undefined;
    return [
      error("HOST_BRIDGE", path, {
        found: exists ? `${name} is no bridge` : `there is no bridge ${name}`,
        needed: "an existing bridge",
        fix: exists
          ? "name a bridge, or write tap"
          : `make it: ip link add ${name} type bridge && ip link set ${name} up`,
      }),
    ];
  }
  const facts = files.facts(helper);
  if (facts === undefined) {
    return [
      error("HOST_PROGRAM_MISSING", path, {
        found: `there is no ${helper}`,
        needed: "the program that joins QEMU to a bridge",
        fix: "install it (Debian: apt-get install qemu-system-common), or name another in bridgeHelper",
      }),
    ];
  }
  const privileged = (account?.uid ?? user.uid) === 0 || (facts.uid === 0 && (facts.mode & 0o4000) !== 0);
  return [
    ...when(!privileged, () =>
      error("HOST_BRIDGE", path, {
        found: `${helper} has no setuid bit`,
        needed: "root's rights for the helper, since QEMU has none",
        fix: `chmod u+s ${helper} (it asks ${accessList} who may use which bridge)`,
      }),
    ),
    ...when(!isAllowed(files.tryReadText(accessList), name), () =>
      error("HOST_BRIDGE", path, {
        found: `${accessList} does not allow ${name}`,
        needed: `a line "allow ${name}"`,
        fix: `echo 'allow ${name}' >> ${accessList}`,
      }),
    ),
  ];
}

/** A list that includes others, or that only root reads, is left to the helper. @see qemu-bridge-helper.c */
function isAllowed(list: string | undefined, name: string): boolean {
  if (list === undefined) return false;
  const rules = list.split("\n").map((line) => line.trim().split(/\s+/));
  if (rules.some(([verb]) => verb === "include")) return true;
  if (rules.some(([verb, bridge]) => verb === "deny" && (bridge === name || bridge === "all"))) return false;
  return rules.some(([verb, bridge]) => verb === "allow" && (bridge === name || bridge === "all"));
}

function checkTap({ system, account }: FileContext, name: string): Diagnostic[] {
  const { files, user } = system;
  if (files.facts(`${interfaces}/${name}/tun_flags`) === undefined) {
    const exists = files.facts(`${interfaces}/${name}`) !== undefined;
    return [
      error("HOST_BRIDGE", path, {
        found: exists ? `${name} is no tap device` : `there is no tap device ${name}`,
        needed: "an existing tap device",
        fix: `make it: ip tuntap add ${name} mode tap user USER && ip link set ${name} up`,
      }),
    ];
  }
  const uid = account?.uid ?? user.uid;
  const owner = Number(files.tryReadText(`${interfaces}/${name}/owner`)?.trim() ?? -1);
  return when(uid !== 0 && owner !== uid, () =>
    error("HOST_BRIDGE", path, {
      found: `${name} belongs to ${owner === -1 ? "root" : `user ${owner}`}, and QEMU runs as user ${uid}`,
      needed: "a tap device of that user",
      fix: `make it anew: ip tuntap del ${name} mode tap && ip tuntap add ${name} mode tap user ${uid}`,
    }),
  );
}
