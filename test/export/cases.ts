import { argvItems } from "../../src/argv/index.ts";
import type { Plan } from "../../src/plan/index.ts";
import { goldenProfiles, planGolden } from "../golden/cases.ts";

/** Every profile of the goldens on every host that it has a plan for. */
export const plannedCases = goldenProfiles.flatMap(({ name, profile, hosts }) =>
  hosts.flatMap((host) => {
    const result = planGolden(profile, host);
    return result.ok ? [{ name: `${name}@${host}`, profile, host, plan: result.value }] : [];
  }),
);

/** What only one of two command lines has, an option at a time; their order aside. */
export function argvDifferences(one: Plan, other: Plan): string[] {
  const [left, right] = [wordsOf(one), wordsOf(other)];
  const missing = left.filter((words) => {
    const at = right.indexOf(words);
    if (at !== -1) right.splice(at, 1);
    return at === -1;
  });
  return [...missing.map((words) => `- ${words}`), ...right.map((words) => `+ ${words}`)];
}

/** Features of a processor have no order. */
function wordsOf(plan: Plan): string[] {
  return argvItems(plan).map(({ words: [option = "", value = ""] }) =>
    option === "-cpu" ? [option, ...value.split(",").sort()].join(" ") : `${option} ${value}`,
  );
}
