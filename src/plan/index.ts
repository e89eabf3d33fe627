export type { Places, PlanInput } from "./draft.ts";
export type * from "./options.ts";
export { planVm } from "./planner.ts";
export type * from "./types.ts";
