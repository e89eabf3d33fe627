import type { Draft } from "./draft.ts";
import type { RunUser } from "./types.ts";

/** What QEMU may do on the host, and as whom. */
export function planSandbox(draft: Draft): { user: RunUser | undefined; openFiles: number | undefined } {
  const { sandbox, networks } = draft.profile;
  const bridge = networks.find((network) => network.bridge !== undefined);
  if (sandbox.seccomp) {
    const because = draft.decide("sandbox", "sandbox.seccomp", {
      value: bridge ? "on, programs allowed for qemu-bridge-helper" : "on, everything denied that can be",
      rule: "A broken QEMU can start no program, gain no privilege and change no limits. A bridge is reached through a helper program, which then has to be allowed.",
      source: "security",
    });
    draft.add({
      option: "sandbox",
      properties: {
        obsolete: "deny",
        elevateprivileges: "deny",
        spawn: bridge ? "allow" : "deny",
        resourcecontrol: "deny",
      },
      because: [because],
    });
  }
  if (sandbox.user === undefined && (sandbox.group !== undefined || sandbox.groups.length > 0)) {
    draft.refuse("HOST_SANDBOX", ["sandbox", sandbox.group === undefined ? "groups" : "group"], {
      found: "a group without a user",
      needed: "sandbox.user, whose group it is",
      fix: "add user, or leave the groups out",
    });
  }
  const user =
    sandbox.user === undefined
      ? undefined
      : { user: sandbox.user, group: sandbox.group, groups: sandbox.groups };
  draft.decide("sandbox", "sandbox.user", {
    value: user ? `user ${user.user}` : "the caller",
    rule: "Privileges are dropped and limits set before QEMU starts, since newer QEMUs no longer do it themselves.",
    source: "security",
  });
  return { user, openFiles: sandbox.openFiles };
}
