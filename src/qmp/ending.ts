import { type DisconnectReason, QmpDisconnectedError } from "./errors.ts";

/** The error of one call or wait that the end of the connection cut off. */
export function disconnected(end: QmpDisconnectedError, what: string, sent?: unknown): QmpDisconnectedError {
  const { reason, state, cause } = end;
  return new QmpDisconnectedError(`cannot ${what}: ${end.message}`, { reason, state, sent, cause });
}

/** Why there is no connection any more, in words. */
export function describeEnd(reason: DisconnectReason, cause: Error | undefined, heldBytes: number): string {
  const half = heldBytes === 0 ? "" : ` in the middle of a message, after ${heldBytes} bytes of it`;
  switch (reason) {
    case "closed-here":
      return "the connection was closed on this side";
    case "closed-by-peer":
      return `QEMU closed the QMP connection${half}`;
    case "protocol":
      return `the QMP connection was given up: ${cause?.message ?? "not QMP"}`;
    case "transport":
      return `the QMP connection failed: ${cause?.message ?? "unknown"}`;
  }
}
