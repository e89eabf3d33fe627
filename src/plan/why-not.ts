import type { Diagnostic } from "../errors/index.ts";
import type { Holding } from "../host/ledger.ts";
import type { PlanInput } from "./draft.ts";
import { planVm } from "./planner.ts";

/** Something that stands in the way of a start and could be given up. */
export type Obstacle =
  | { readonly kind: "vm"; readonly holding: Holding }
  /** A wish of the profile, by its key. */
  | { readonly kind: "wish"; readonly key: string; readonly value: string };

export type WhyNot =
  | { readonly kind: "fits" }
  /** Each set is enough, and none of them can be smaller. */
  | { readonly kind: "obstacles"; readonly sets: readonly (readonly Obstacle[])[] }
  /** Not even with all of them given up: what is wrong then. */
  | { readonly kind: "never"; readonly diagnostics: readonly Diagnostic[] };

/** Plans to try before the search is given up; one takes some milliseconds. */
const mostPlans = 2000;
/** Sets of one size to tell; more are alternatives that nobody reads. */
const mostSets = 5;

/** The fewest things that have to go for a profile to be planned: guests that run, and wishes of the profile. */
export function whyNot(input: PlanInput): WhyNot {
  if (fits(input, [])) return { kind: "fits" };
  const all = [...wishesOf(input), ...input.ledger.map((holding) => ({ kind: "vm", holding }) as const)];
  const bare = planVm(without(input, all));
  if (!bare.ok) return { kind: "never", diagnostics: bare.diagnostics };
  let plans = 0;
  for (let size = 1; size < all.length; size++) {
    const sets: Obstacle[][] = [];
    for (const set of subsets(all, size)) {
      if (plans++ > mostPlans) return { kind: "obstacles", sets: [shrunk(input, all)] };
      if (fits(input, set)) sets.push(set);
      if (sets.length === mostSets) break;
    }
    if (sets.length > 0) return { kind: "obstacles", sets };
  }
  return { kind: "obstacles", sets: [all] };
}

function fits(input: PlanInput, given: readonly Obstacle[]): boolean {
  return planVm(without(input, given)).ok;
}

/** All of them but those that can stay, one by one: few, though perhaps not the fewest. */
function shrunk(input: PlanInput, all: readonly Obstacle[]): Obstacle[] {
  return all.reduce<Obstacle[]>(
    (kept, obstacle) => {
      const fewer = kept.filter((other) => other !== obstacle);
      return fits(input, fewer) ? fewer : kept;
    },
    [...all],
  );
}

/** The profile's wishes that a start could do without, as far as it has them. */
function wishesOf({ profile }: PlanInput): Obstacle[] {
  const { reserve, threadPolicy, granularity } = profile.pinning;
  const wish = (key: string, value: string): Obstacle => ({ kind: "wish", key, value });
  return [
    ...(reserve.length > 0
      ? [wish("pinning.reserve", typeof reserve === "string" ? reserve : reserve.join())]
      : []),
    ...(threadPolicy === "prefer" ? [] : [wish("pinning.threadPolicy", threadPolicy)]),
    ...(granularity === "core" ? [wish("pinning.granularity", granularity)] : []),
    ...(profile.numa?.partition?.hostNodes === undefined
      ? []
      : [wish("numa.partition.hostNodes", profile.numa.partition.hostNodes.join())]),
  ];
}

function without(input: PlanInput, given: readonly Obstacle[]): PlanInput {
  const gone = new Set(given.flatMap((obstacle) => (obstacle.kind === "vm" ? [obstacle.holding] : [])));
  const keys = new Set(given.flatMap((obstacle) => (obstacle.kind === "wish" ? [obstacle.key] : [])));
  const { pinning, numa } = input.profile;
  return {
    ...input,
    ledger: input.ledger.filter((holding) => !gone.has(holding)),
    profile: {
      ...input.profile,
      pinning: {
        ...pinning,
        ...(keys.has("pinning.reserve") ? { reserve: [] } : {}),
        ...(keys.has("pinning.threadPolicy") ? { threadPolicy: "prefer" } : {}),
        ...(keys.has("pinning.granularity") ? { granularity: "thread" } : {}),
      },
      ...(numa?.partition && keys.has("numa.partition.hostNodes")
        ? { numa: { ...numa, partition: { ...numa.partition, hostNodes: undefined } } }
        : {}),
    },
  };
}

/** Every set of this size, in the order of the list. */
function* subsets<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (const [index, first] of items.entries()) {
    for (const rest of subsets(items.slice(index + 1), size - 1)) yield [first, ...rest];
  }
}
