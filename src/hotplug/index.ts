export type { LiveOptions } from "./live.ts";
export type { Operation, OperationKind, OperationState, OperationStep } from "./operation.ts";
