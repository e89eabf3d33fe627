export { type Drift, findDrift } from "./drift.ts";
export type { LiveOptions } from "./live.ts";
export type { Operation, OperationKind, OperationState, OperationStep } from "./operation.ts";
export {
  cancelVmOperation,
  listVmOperations,
  type OperationSummary,
  resumeVmOperations,
} from "./operations.ts";
export type { Spread } from "./vcpu-spread.ts";
export { type SetVcpusOutcome, setVcpus } from "./vcpus.ts";
