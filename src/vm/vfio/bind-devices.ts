import { QlaunchError, refusal } from "../../errors/index.ts";
import type { EventSink } from "../../events/event.ts";
import type { PassedFunction, Plan } from "../../plan/types.ts";
import type { System } from "../../system/index.ts";
import type { Account } from "../accounts.ts";
import type { Journal } from "../journal.ts";
import { mayAccess } from "../preflight/access.ts";
import { bindToVfio } from "./binding.ts";
import { checkFunctions } from "./health.ts";
import { loadVfio } from "./module.ts";
import { nodeAccessFix, nodeFor, readBinding, usesIommufd } from "./pci-function.ts";

interface DeviceBinding {
  readonly system: System;
  readonly plan: Pick<Plan, "options">;
  readonly journal: Journal;
  /** The account that QEMU runs as; undefined when it is ours. */
  readonly account: Account | undefined;
  readonly emit: EventSink;
  /** The step that it is, for those who watch. */
  readonly step: string;
}

/** udev sets owner and mode of a new device node a moment after the kernel made it. */
const nodeWaitMs = 3_000;

/**
 * Takes functions from their drivers, after noting what each had. A write blocks when the old driver does not let go,
 * so the function is told before.
 * @throws QlaunchError HOST_IOMMU, HOST_DEVICE_ABSENT, HOST_DEVICE_DEAD, HOST_DEVICE_BIND
 */
export async function bindDevices(
  binding: DeviceBinding,
  functions: readonly PassedFunction[],
): Promise<void> {
  const { system, journal, emit, step } = binding;
  const { files, clock } = system;
  const problems = checkFunctions(files, functions);
  if (problems.length > 0) throw new QlaunchError(problems);
  journal.registerDevices(
    functions.flatMap(({ address }) => {
      const was = readBinding(files, address);
      return was === undefined
        ? []
        : [{ step: `bind ${address}`, action: { do: "give-back-device", address, ...was } }];
    }),
  );
  await loadVfio(system);
  const began = clock.elapsedMs();
  for (const [index, { address }] of functions.entries()) {
    const from = readBinding(files, address)?.driver ?? "no driver";
    const reason = `${address} from ${from} (${index + 1} of ${functions.length})`;
    emit({ type: "waiting", step, elapsedMs: clock.elapsedMs() - began, reason });
    bindToVfio(files, address);
  }
  const iommufd = usesIommufd(binding.plan);
  const nodes = functions.map(
    (each) => nodeFor(files, each, iommufd) ?? `/dev/vfio/devices for ${each.address}`,
  );
  for (const node of new Set(nodes)) await awaitNode(binding, node);
}

/** QEMU opens it, perhaps as another user. */
async function awaitNode({ system, account }: DeviceBinding, node: string): Promise<void> {
  const deadline = system.clock.elapsedMs() + nodeWaitMs;
  const opens = () => mayAccess(system, account, node, ["read", "write"]);
  while (!opens()) {
    if (system.clock.elapsedMs() > deadline) throw closed(system, account, node);
    await system.clock.sleep(20);
  }
}

function closed({ files }: System, account: Account | undefined, node: string): QlaunchError {
  if (files.facts(node) === undefined) {
    return refusal("HOST_IOMMU", {
      found: `the kernel made no ${node} here`,
      needed: "the device node that QEMU opens",
      fix: "run it where /dev is the kernel's own: a container needs /dev/vfio of its host",
    });
  }
  return refusal("HOST_IOMMU", {
    found: `${account === undefined ? "you" : `user ${account.uid}`} may not open ${node}`,
    needed: "the right to read and write it",
    fix: nodeAccessFix(node),
  });
}
