import type { EventSink } from "../../events/event.ts";
import type { System } from "../../system/index.ts";
import { describeAcsChange, directAcs } from "../../units/index.ts";
import { stepper } from "../steps.ts";
import { type AcsPort, writeControl } from "./control.ts";
import { type KeptControls, readKept, writeKept } from "./kept.ts";

/** What came of one port: its control register before and after. */
export interface AcsChange {
  readonly address: string;
  readonly capability: number;
  readonly before: number;
  readonly after: number;
}

interface Wanted {
  readonly port: AcsPort;
  readonly control: number;
}

/**
 * Lets translated requests of devices with ATS stay below their switch: all of the ports, or none. What they had
 * before the first change is kept for `restoreAcs`, beforehand.
 * @throws QlaunchError HOST_ACS
 */
export async function applyAcs(
  system: System,
  root: string,
  ports: readonly AcsPort[],
  emit: EventSink,
): Promise<AcsChange[]> {
  const wanted = ports.map((port) => ({ port, control: directAcs(port) }));
  const before = readKept(system.files, root);
  const changing = wanted.filter(({ port, control }) => port.control !== control);
  const kept = new Map([...changing.map(({ port }) => [port.address, port.control] as const), ...before]);
  if (changing.length > 0) writeKept(system.files, root, kept);
  return changeAll(system, wanted, emit, () => writeKept(system.files, root, before));
}

/**
 * Puts back what ports had before the first change: all of them, or none.
 * @param ports as they are now; those of which nothing is kept stay as they are
 * @param gone ports that the machine does not have any more
 * @throws QlaunchError HOST_ACS
 */
export async function restoreAcs(
  system: System,
  root: string,
  { ports, gone }: { readonly ports: readonly AcsPort[]; readonly gone: readonly string[] },
  emit: EventSink,
): Promise<AcsChange[]> {
  const kept = readKept(system.files, root);
  const wanted = ports.flatMap((port) => {
    const control = kept.get(port.address);
    return control === undefined ? [] : [{ port, control }];
  });
  const changes = await changeAll(system, wanted, emit, () => {});
  const done = new Set([...gone, ...changes.map(({ address }) => address)]);
  if (done.size > 0) writeKept(system.files, root, without(kept, done));
  return changes;
}

async function changeAll(
  system: System,
  wanted: readonly Wanted[],
  emit: EventSink,
  afterUndo: () => void,
): Promise<AcsChange[]> {
  const step = stepper({ system, emit });
  const begun: AcsPort[] = [];
  try {
    for (const { port, control } of wanted) {
      if (port.control === control) continue;
      begun.push(port);
      await step(
        `ACS of ${port.address}`,
        () => writeControl(system.files, port, control),
        () => describeAcsChange(port.control, control),
      );
    }
  } catch (error) {
    if (
      begun
        .reverse()
        .map((port) => undo(system, port, emit))
        .every(Boolean)
    )
      afterUndo();
    throw error;
  }
  return wanted.map(({ port: { address, capability, control: before }, control: after }) => ({
    address,
    capability,
    before,
    after,
  }));
}

/** What cannot be undone is told, and the others are. @returns whether it is as before */
function undo({ files }: System, port: AcsPort, emit: EventSink): boolean {
  const step = `ACS of ${port.address}`;
  try {
    writeControl(files, port, port.control);
    emit({ type: "step-undone", step });
    return true;
  } catch (error) {
    emit({ type: "step-undone", step, problem: error instanceof Error ? error.message : String(error) });
    return false;
  }
}

function without(kept: KeptControls, addresses: ReadonlySet<string>): KeptControls {
  return new Map([...kept].filter(([address]) => !addresses.has(address)));
}
