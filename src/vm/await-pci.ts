import type { EventSink } from "../events/event.ts";
import type { QmpClient } from "../qmp/index.ts";
import type { System } from "../system/index.ts";
import { type PciTreeState, readPciTree } from "./pci-tree.ts";

interface PciWait {
  readonly system: System;
  readonly qmp: Pick<QmpClient, "execute">;
  readonly hotplugPorts: ReadonlySet<string>;
  readonly emit: EventSink;
  readonly signal: AbortSignal | undefined;
  /** Its name, for those who look on. */
  readonly step: string;
}

/** Firmware under KVM is done in a second or two; the guest does not wait for us. */
const waitMs = 5_000;
const intervalMs = 250;

/** How the tree was when it was last looked at, and how long that took. */
export interface SeenPciTree {
  readonly state: PciTreeState;
  readonly elapsedMs: number;
}

/**
 * Looks at the PCI tree until the firmware has given every bridge a number and every BAR an address.
 * @returns how it was when it was whole, or after a few seconds
 */
export async function awaitPciTree(wait: PciWait): Promise<SeenPciTree> {
  const { system, qmp, hotplugPorts, emit, signal, step } = wait;
  const began = system.clock.elapsedMs();
  for (;;) {
    const state = readPciTree(await qmp.execute("query-pci"), hotplugPorts);
    const elapsedMs = system.clock.elapsedMs() - began;
    if (state.problems.length === 0 || elapsedMs >= waitMs || signal?.aborted) return { state, elapsedMs };
    emit({ type: "waiting", step, elapsedMs, reason: "it gives devices their addresses" });
    await system.clock.sleep(intervalMs);
  }
}
