import type { Draft } from "./draft.ts";

/** The profile's own arguments, passed on last and marked as outside the plan. */
export function planExtra(draft: Draft): void {
  const { extraArgs } = draft.profile;
  if (extraArgs.length === 0) return;
  const because = draft.decide("extra", "extraArgs", {
    value: `${extraArgs.length} argument${extraArgs.length === 1 ? "" : "s"}`,
    rule: "Passed on as they are. The plan does not know what they do, and its checks do not cover them.",
    facts: [extraArgs.join(" ")],
    source: "invocation",
  });
  draft.add({ option: "extra", arguments: extraArgs, because: [because] });
}
