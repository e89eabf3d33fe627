import { type Diagnostic, QlaunchError, refusal } from "../../errors/index.ts";
import type { EventSink } from "../../events/event.ts";
import type { Files, System } from "../../system/index.ts";
import { stepper } from "../steps.ts";
import { bindToVfio, giveBack, releaseFromVfio } from "./binding.ts";
import { absent, checkFunctions, dead, type ExpectedFunction } from "./health.ts";
import { loadVfio } from "./module.ts";
import { answers, type Binding, groupNode, readBinding, readGroup, vfioPci } from "./pci-function.ts";

/** What came of one function. */
export interface DriverChange {
  readonly address: string;
  /** Null for none. */
  readonly from: string | null;
  readonly to: string | null;
}

/**
 * Binds functions to vfio-pci for no VM in particular: all, or none. Nothing remembers what they had.
 * @throws QlaunchError HOST_IOMMU, HOST_DEVICE_ABSENT, HOST_DEVICE_DEAD, HOST_DEVICE_BIND
 */
export async function bindByHand(
  system: System,
  functions: readonly ExpectedFunction[],
  emit: EventSink,
): Promise<DriverChange[]> {
  const problems = checkFunctions(system.files, functions);
  if (problems.length > 0) throw new QlaunchError(problems);
  await loadVfio(system);
  return moveAll(
    system,
    functions.map(({ address }) => address),
    emit,
    { move: bindToVfio, undo: giveBack, doing: "bind" },
  );
}

/**
 * Gives functions that are on vfio-pci to the drivers that the kernel finds for them: all, or none.
 * @throws QlaunchError HOST_DEVICE_ABSENT, HOST_DEVICE_BUSY, HOST_DEVICE_DEAD, HOST_DEVICE_BIND
 */
export async function unbindByHand(
  system: System,
  addresses: readonly string[],
  emit: EventSink,
): Promise<DriverChange[]> {
  const problems = addresses.flatMap((address) => checkRelease(system.files, address));
  if (problems.length > 0) throw new QlaunchError(problems);
  return moveAll(system, addresses, emit, {
    move: releaseFromVfio,
    undo: (files, address, was) => {
      if (was.driver === vfioPci) bindToVfio(files, address);
    },
    doing: "unbind",
  });
}

/** Taking a function from a program that uses it waits for that program, for ever if need be. */
function checkRelease(files: Files, address: string): readonly Diagnostic[] {
  const binding = readBinding(files, address);
  if (binding === undefined) return absent(address).diagnostics;
  if (binding.driver !== vfioPci) return [];
  if (!answers(files, address)) return dead(address).diagnostics;
  const group = readGroup(files, address);
  const node = group === undefined ? undefined : groupNode(group);
  // A group is open once at a time.
  if (node === undefined || !files.allows(node, "write") || files.opens(node)) return [];
  return refusal("HOST_DEVICE_BUSY", {
    found: `${address}, whose ${node} another program has open`,
    needed: "a device that nobody uses",
    fix: `find who has it: fuser -v ${node}; end that program first`,
  }).diagnostics;
}

interface Moving {
  readonly move: (files: Files, address: string) => void;
  readonly undo: (files: Files, address: string, was: Binding) => void;
  readonly doing: string;
}

async function moveAll(
  system: System,
  addresses: readonly string[],
  emit: EventSink,
  { move, undo, doing }: Moving,
): Promise<DriverChange[]> {
  const { files } = system;
  const step = stepper({ system, emit });
  const none: Binding = { driver: null, override: null };
  const begun: { address: string; was: Binding }[] = [];
  const changes: DriverChange[] = [];
  const driverOf = (address: string) => readBinding(files, address)?.driver ?? null;
  try {
    for (const address of addresses) {
      const was = readBinding(files, address) ?? none;
      begun.push({ address, was });
      const change = () => {
        move(files, address);
        return { address, from: was.driver, to: driverOf(address) };
      };
      changes.push(
        await step(
          `${doing} ${address}`,
          change,
          ({ from, to }) => `${from ?? "no driver"} -> ${to ?? "none"}`,
        ),
      );
    }
    return changes;
  } catch (error) {
    for (const { address, was } of begun.reverse()) undoOne(files, address, was, { undo, doing }, emit);
    throw error;
  }
}

/** What cannot be undone is told, and the others are. */
function undoOne(
  files: Files,
  address: string,
  was: Binding,
  { undo, doing }: Omit<Moving, "move">,
  emit: EventSink,
): void {
  const step = `${doing} ${address}`;
  try {
    undo(files, address, was);
    emit({ type: "step-undone", step });
  } catch (error) {
    emit({ type: "step-undone", step, problem: error instanceof Error ? error.message : String(error) });
  }
}
