import type { JsonPath } from "../errors/index.ts";
import type { Draft } from "./draft.ts";

/** An expander bus and how many bus numbers lie below it. */
export interface BusRoot {
  readonly id: string;
  readonly path: JsonPath;
  readonly busNr: number | undefined;
  /** The root's own bus, one for each port, and what ports reserve. */
  readonly budget: number;
}

/**
 * Bus numbers of the expander buses. Numbers of the profile are checked, the others are given from the top down,
 * each with its budget: QEMU starts with overlapping ones, and then the firmware leaves every window closed.
 *
 * @param rootBudget bus numbers that pcie.0 and all below it take
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/docs/pci_expander_bridge.txt
 */
export function assignBusNumbers(
  draft: Draft,
  rootBudget: number,
  roots: readonly BusRoot[],
): Map<string, number> {
  const numbers = new Map<string, number>();
  const fixed: { id: string; path: JsonPath; start: number; budget: number }[] = [];
  for (const root of roots) {
    if (root.busNr === undefined) continue;
    fixed.push({ id: root.id, path: root.path, start: root.busNr, budget: root.budget });
    numbers.set(root.id, root.busNr);
  }
  fixed.sort((a, b) => a.start - b.start);
  checkRanges(draft, rootBudget, fixed);
  for (const root of [...roots].reverse()) {
    if (root.busNr !== undefined) continue;
    const start = highestGap(rootBudget, fixed, root.budget);
    if (start === undefined) {
      draft.refuse("PCIE_BUS_NUMBERS", root.path, {
        found: `no room for the ${root.budget} bus numbers of ${root.id}: pcie.0 takes ${rootBudget}, ${fixed.map((other) => `${other.id} ${other.budget}`).join(", ")}`,
        needed: "256 bus numbers or fewer in all, in one piece for each expander bus",
        fix: "use fewer ports or switches, or leave busNr out so that the numbers are packed",
      });
      numbers.set(root.id, 1);
      continue;
    }
    numbers.set(root.id, start);
    fixed.push({ id: root.id, path: root.path, start, budget: root.budget });
    fixed.sort((a, b) => a.start - b.start);
  }
  return numbers;
}

function checkRanges(
  draft: Draft,
  rootBudget: number,
  ranges: readonly { id: string; path: JsonPath; start: number; budget: number }[],
): void {
  let before = { id: "pcie.0", start: 0, budget: rootBudget };
  for (const range of ranges) {
    const end = before.start + before.budget;
    if (range.start < end) {
      draft.refuse("PCIE_BUS_NUMBERS", [...range.path, "busNr"], {
        found: `${range.id} starts at bus ${range.start}, and ${before.id} takes ${before.start}-${end - 1}`,
        needed: `${end} or more: each bus and each port below it takes a number`,
        fix: `write ${end} or more, or leave busNr out`,
      });
    }
    before = range;
  }
  const end = before.start + before.budget;
  if (end > 256 && ranges.length > 0) {
    draft.refuse("PCIE_BUS_NUMBERS", [...(ranges.at(-1)?.path ?? []), "busNr"], {
      found: `${before.id} starts at bus ${before.start} and takes ${before.budget} numbers, up to ${end - 1}`,
      needed: "255 at most",
      fix: `write ${256 - before.budget} or less, or leave busNr out`,
    });
  }
}

/** Where a block of `budget` numbers fits, as high as it can be. */
function highestGap(
  rootBudget: number,
  ranges: readonly { start: number; budget: number }[],
  budget: number,
): number | undefined {
  let end = 256;
  for (const range of [...ranges].reverse()) {
    if (end - budget >= range.start + range.budget) return end - budget;
    end = Math.min(end, range.start);
  }
  return end - budget >= rootBudget ? end - budget : undefined;
}
