export { addDevice, type DeviceOutcome, type LiveDevice, listDevices, removeDevice } from "./device.ts";
export type { LiveFacts, PlannedAddition } from "./device-plan.ts";
export { LiveSite } from "./device-site.ts";
export { type Drift, findDrift } from "./drift.ts";
export type { LiveOptions } from "./live.ts";
export { addMemory, removeMemory, resizeMemory } from "./memory.ts";
export type { PlannedMemory } from "./memory-add.ts";
export { type LiveMemoryDevice, listMemoryDevices } from "./memory-list.ts";
export type { MemoryOutcome } from "./memory-outcome.ts";
export { checkLiveRoom } from "./memory-room.ts";
export type { CheckMore } from "./memory-size.ts";
export type { Operation, OperationKind, OperationState, OperationStep } from "./operation.ts";
export {
  cancelVmOperation,
  listVmOperations,
  type OperationSummary,
  resumeVmOperations,
} from "./operations.ts";
export type { LivePort, PortWish } from "./ports.ts";
export type { Spread } from "./vcpu-spread.ts";
export { type SetVcpusOutcome, setVcpus } from "./vcpus.ts";
