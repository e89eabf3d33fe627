import type { Obstacle, WhyNot } from "../plan/why-not.ts";
import { formatIdSet } from "../units/index.ts";
import { memoryText } from "./holdings.ts";
import type { Style } from "./style.ts";

/** What stands in the way of a start, a line a thing; sets apart by "or". Empty for problems of the profile's own. */
export function renderWhyNot(name: string, answer: WhyNot, { colors }: Style): string[] {
  switch (answer.kind) {
    case "fits":
      return [`nothing stands in the way of ${name}`];
    case "never":
      return [];
    case "obstacles":
      return [
        `${name} starts when the fewest of these go:`,
        ...answer.sets.flatMap((set, index) => [
          ...(index === 0 ? [] : [colors.dim("or")]),
          ...set.map((obstacle) => `  ${describe(obstacle)}`),
        ]),
      ];
  }
}

function describe(obstacle: Obstacle): string {
  if (obstacle.kind === "wish") return `${obstacle.key} "${obstacle.value}" of the profile`;
  const { vm, exclusiveCpus, memory = [], pciFunctions = [] } = obstacle.holding;
  const has = [
    ...(exclusiveCpus.length > 0
      ? [`host CPU ${formatIdSet([...exclusiveCpus].sort((a, b) => a - b))}`]
      : []),
    ...(memory.length > 0 ? [memoryText(memory)] : []),
    ...pciFunctions,
  ];
  return `${vm}, which has ${has.length > 0 ? has.join(", ") : "nothing that is counted"}`;
}
