export type * from "./backends.ts";
export type * from "./block.ts";
export { connectQmp, QmpClient, type QmpClientOptions } from "./client.ts";
export type {
  CommandArguments,
  CommandName,
  CommandResult,
  Commands,
  DeviceAddArguments,
  Empty,
  None,
} from "./commands.ts";
export {
  type CommandRequest,
  type DisconnectReason,
  QmpCommandError,
  QmpDisconnectedError,
  QmpError,
  QmpGreetingError,
  QmpNegotiationError,
  QmpProtocolError,
  type QmpState,
  QmpStateError,
  QmpTimeoutError,
} from "./errors.ts";
export {
  type AnyQmpEvent,
  type EventName,
  type Events,
  isKnownEvent,
  type QmpEvent,
  type QmpTimestamp,
  type ShutdownCause,
} from "./events.ts";
export { QmpListener } from "./listener.ts";
export type { QmpGreeting } from "./messages.ts";
export type * from "./objects.ts";
export type * from "./results.ts";
export type { WaitOptions } from "./timer.ts";
export { formatTranscriptEntry, type TranscriptEntry, type TranscriptSink } from "./transcript.ts";
