/** Why a connection ended. */
export type DisconnectReason =
  /** `close()` was called here. */
  | "closed-here"
  /** The other side went away: an end of stream, or a reset as its last sign. */
  | "closed-by-peer"
  /** What came cannot be QMP, or the handshake failed; `cause` says more. */
  | "protocol"
  /** The transport failed for another reason, kept in `cause`. */
  | "transport";

/** Where a client is in its life. It only ever moves to the right. */
export type QmpState = "connecting" | "negotiating" | "running" | "disconnecting" | "disconnected";

interface Exchange {
  readonly sent?: unknown;
  readonly received?: unknown;
  readonly cause?: unknown;
}

/** What all failures of this room have in common. */
export abstract class QmpError extends Error {
  abstract override readonly name: string;
  /** The request that this is about, as it was sent; undefined when there is none. */
  readonly sent: unknown;
  /** What came back, as far as anything did. */
  readonly received: unknown;

  constructor(message: string, exchange: Exchange = {}) {
    super(message, exchange.cause === undefined ? undefined : { cause: exchange.cause });
    this.sent = exchange.sent;
    this.received = exchange.received;
  }
}

/** The first thing that came is not a QMP greeting. */
export class QmpGreetingError extends QmpError {
  override readonly name = "QmpGreetingError";
}

/** A capability is not offered, or QEMU refused `qmp_capabilities`. */
export class QmpNegotiationError extends QmpError {
  override readonly name = "QmpNegotiationError";
}

/** A line that is not a QMP message, or an answer of an impossible shape. */
export class QmpProtocolError extends QmpError {
  override readonly name = "QmpProtocolError";
}

/** QEMU answered a command with an error. `sent` is the request, `received` the whole answer. */
export class QmpCommandError extends QmpError {
  override readonly name = "QmpCommandError";
  /** QEMU's class: nearly always `GenericError`; also `CommandNotFound`, `DeviceNotFound`, `DeviceNotActive`, `KVMMissingCap`. */
  readonly class: string;
  /** QEMU's own words. */
  readonly desc: string;
  readonly command: string;
  readonly arguments: unknown;

  constructor(request: CommandRequest, error: { class: string; desc: string }, received: unknown) {
    super(`${request.command}: ${error.desc} (${error.class})`, { sent: request.sent, received });
    this.class = error.class;
    this.desc = error.desc;
    this.command = request.command;
    this.arguments = request.arguments;
  }
}

/** Nothing came in time. The command may still take effect: QEMU was not told of the time limit. */
export class QmpTimeoutError extends QmpError {
  override readonly name = "QmpTimeoutError";
  readonly timeoutMs: number;

  /** `awaited` completes the sentence "no ... within 30000 ms". */
  constructor(awaited: string, timeoutMs: number, exchange: Exchange = {}) {
    super(`no ${awaited} within ${timeoutMs} ms`, exchange);
    this.timeoutMs = timeoutMs;
  }
}

/** The connection is gone. Whether a command that was under way took effect is unknown. */
export class QmpDisconnectedError extends QmpError {
  override readonly name = "QmpDisconnectedError";
  readonly reason: DisconnectReason;
  /** The state in which the connection ended. */
  readonly state: QmpState;

  constructor(
    message: string,
    end: { readonly reason: DisconnectReason; readonly state: QmpState } & Exchange,
  ) {
    super(message, end);
    this.reason = end.reason;
    this.state = end.state;
  }
}

/** A call that the client's state does not allow. */
export class QmpStateError extends QmpError {
  override readonly name = "QmpStateError";
  readonly state: QmpState;

  constructor(message: string, state: QmpState, exchange: Exchange = {}) {
    super(message, exchange);
    this.state = state;
  }
}

/** A command as the caller gave it, and as it went out. */
export interface CommandRequest {
  readonly command: string;
  readonly arguments: unknown;
  readonly sent: unknown;
}
