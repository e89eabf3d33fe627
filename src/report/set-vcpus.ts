import type { SetVcpusOutcome } from "../hotplug/index.ts";
import { formatIdSet } from "../units/index.ts";

const byHand = [
  "the guest brings new vCPUs online itself; without a rule for it, in the guest:",
  '  SUBSYSTEM=="cpu", ACTION=="add", TEST=="online", ATTR{online}=="0", ATTR{online}="1"   (a udev rule)',
  "or give it qemu-guest-agent, and the profile guestAgent.online: true",
];

/** What `qlaunch setvcpus` did, and what is left to the guest. */
export function renderSetVcpus(outcome: SetVcpusOutcome): string[] {
  const { name, vcpus, added, removed, operation, guestRuns, broughtOnline } = outcome;
  const changes = [
    ...(added.length > 0 ? [`${formatIdSet(added)} added`] : []),
    ...(removed.length > 0 ? [`${formatIdSet(removed)} removed`] : []),
  ];
  const has = `${name} has ${vcpus.length} vCPU${vcpus.length === 1 ? "" : "s"}: ${formatIdSet(vcpus)}`;
  const how =
    operation === undefined ? "; it had them already" : changes.length > 0 ? `; ${changes.join(", ")}` : "";
  const lines = [`${has}${how}`];
  if (operation !== undefined && operation.state !== "done") {
    lines.push(
      `operation ${operation.id} is ${operation.state}: qlaunch ops ${name} shows it, qlaunch ops resume ${name} goes on`,
    );
  }
  if (guestRuns !== undefined) lines.push(`the guest runs ${guestRuns} of them`);
  const isLeft =
    added.length > 0 && (guestRuns === undefined ? true : !broughtOnline && guestRuns < vcpus.length);
  return isLeft ? [...lines, ...byHand] : lines;
}
