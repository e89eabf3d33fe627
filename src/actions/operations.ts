/** What is done to the operations of a running VM, whatever their kind. */
export {
  cancelVmOperation,
  type LiveOptions,
  listVmOperations,
  type Operation,
  type OperationSummary,
  resumeVmOperations,
} from "../hotplug/index.ts";
