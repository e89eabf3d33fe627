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

interface BusRange {
  readonly id: string;
  readonly path: JsonPath;
  readonly start: number;
  readonly budget: number;
}

/** One PCI segment has 256, expander buses included. */
const busNumbers = 256;

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
  if (rootBudget > busNumbers) {
    draft.refuse("PCIE_BUS_NUMBERS", ["pcie"], {
      found: `${rootBudget} bus numbers on pcie.0: its own, and one for each port`,
      needed: `${busNumbers} at most`,
      fix: "use fewer ports",
    });
  }
  const numbers = new Map<string, number>();
  const ranges: BusRange[] = [];
  const give = (root: BusRoot, start: number) => {
    numbers.set(root.id, start);
    ranges.push({ id: root.id, path: root.path, start, budget: root.budget });
    ranges.sort((a, b) => a.start - b.start);
  };
  for (const root of roots) if (root.busNr !== undefined) give(root, root.busNr);
  checkRanges(draft, rootBudget, ranges);
  for (const root of [...roots].reverse()) {
    if (root.busNr !== undefined) continue;
    const start = highestGap(rootBudget, ranges, root.budget);
    if (start === undefined) {
      const taken = [`pcie.0 takes ${rootBudget}`, ...ranges.map((range) => `${range.id} ${range.budget}`)];
      draft.refuse("PCIE_BUS_NUMBERS", root.path, {
        found: `no room for the ${root.budget} bus numbers of ${root.id}: ${taken.join(", ")}`,
        needed: `${busNumbers} bus numbers or fewer in all, in one piece for each expander bus`,
        fix: "use fewer ports or switches, or leave busNr out so that the numbers are packed",
      });
      continue;
    }
    give(root, start);
  }
  return numbers;
}

/** @param ranges by their start */
function checkRanges(draft: Draft, rootBudget: number, ranges: readonly BusRange[]): void {
  let before = { id: "pcie.0", start: 0, budget: rootBudget };
  for (const range of ranges) {
    const path = [...range.path, "busNr"];
    const free = before.start + before.budget;
    const end = range.start + range.budget;
    if (range.start < free) {
      draft.refuse("PCIE_BUS_NUMBERS", path, {
        found: `${range.id} starts at bus ${range.start}, and ${before.id} takes ${before.start}-${free - 1}`,
        needed: `${free} or more: each bus and each port below it takes a number`,
        fix: `write ${free} or more, or leave busNr out`,
      });
    }
    if (end > busNumbers) {
      draft.refuse("PCIE_BUS_NUMBERS", path, {
        found: `${range.id} starts at bus ${range.start} and takes ${range.budget} numbers, up to ${end - 1}`,
        needed: `${busNumbers - 1} at most: each bus and each port below it takes a number`,
        fix: `write ${busNumbers - range.budget} or less, or leave busNr out`,
      });
    }
    if (end > free) before = range;
  }
}

/** Where a block of `budget` numbers fits, as high as it can be. */
function highestGap(
  rootBudget: number,
  ranges: readonly { start: number; budget: number }[],
  budget: number,
): number | undefined {
  let end = busNumbers;
  for (const range of [...ranges].reverse()) {
    if (end - budget >= range.start + range.budget) return end - budget;
    end = Math.min(end, range.start);
  }
  return end - budget >= rootBudget ? end - budget : undefined;
}
