import type { ByteStream } from "../system/index.ts";
import { Calls } from "./calls.ts";
import { encodeLine, excerpt } from "./codec.ts";
import type { CommandArguments, CommandName, CommandResult } from "./commands.ts";
import { describeEnd, disconnected } from "./ending.ts";
import {
  type DisconnectReason,
  QmpCommandError,
  QmpDisconnectedError,
  QmpGreetingError,
  QmpNegotiationError,
  type QmpState,
  QmpStateError,
  QmpTimeoutError,
} from "./errors.ts";
import { type AnyQmpEvent, type EventName, isKnownEvent, type QmpEvent } from "./events.ts";
import { QmpListener } from "./listener.ts";
import { classify, type QmpGreeting } from "./messages.ts";
import { assertTimeout, startTimer, type WaitOptions } from "./timer.ts";
import { recordTo, type TranscriptSink } from "./transcript.ts";
import { Wire } from "./wire.ts";

export interface QmpClientOptions {
  /** The limit of each command that brings none of its own, in milliseconds. 0 is no limit. Default 30000. */
  readonly timeoutMs?: number;
  /**
   * The limit for the greeting and the answer to `qmp_capabilities` together, in milliseconds. Without it the client
   * waits as long as the transport lives: a guest with terabytes to preallocate answers after minutes.
   */
  readonly greetingTimeoutMs?: number;
  /** Capabilities to turn on, which the greeting must offer. Default none. */
  readonly capabilities?: readonly "oob"[];
  /** Gets every line sent or received. */
  readonly transcript?: TranscriptSink;
  /** Gets a sentence about each thing that was dropped. Default: nobody. */
  readonly log?: (message: string) => void;
}

interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

type RawArguments = Readonly<Record<string, unknown>>;

/** Arguments may be left out where the command needs none. */
type ExecuteParameters<Name extends CommandName> =
  Record<never, never> extends CommandArguments<Name>
    ? [args?: CommandArguments<Name>, options?: WaitOptions]
    : [args: CommandArguments<Name>, options?: WaitOptions];

const defaultTimeoutMs = 30_000;

/**
 * One connection to one QMP monitor. The client owns the transport: it reads from the moment it is made, and destroys
 * the transport when the connection ends. Most callers use `connectQmp`, which also waits for the negotiation.
 */
export class QmpClient {
  /** What QEMU says first; it may take long from there until it answers. Commands can be sent. Rejects when it does not come. */
  readonly greeting: Promise<QmpGreeting>;
  /** The greeting, once QEMU has taken the negotiation. Rejects when it never comes to that. */
  readonly ready: Promise<QmpGreeting>;
  /** Why the connection ended; settles only then, and never rejects. */
  readonly closed: Promise<QmpDisconnectedError>;

  readonly #options: QmpClientOptions;
  readonly #log: (message: string) => void;
  readonly #wire: Wire;
  readonly #calls: Calls;
  readonly #listeners = new Set<QmpListener>();
  readonly #stopGreetingTimer: () => void;
  #state: QmpState = "connecting";
  #end: QmpDisconnectedError | undefined;
  #settleGreeting: Settle<QmpGreeting> | undefined;
  #settleReady: Settle<QmpGreeting> | undefined;
  #settleClosed: ((end: QmpDisconnectedError) => void) | undefined;

  constructor(transport: ByteStream, options: QmpClientOptions = {}) {
    this.#options = options;
    this.#log = options.log ?? (() => {});
    this.#calls = new Calls(this.#log);
    this.greeting = new Promise((resolve, reject) => {
      this.#settleGreeting = { resolve, reject };
    });
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    for (const promise of [this.greeting, this.ready]) promise.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    const { greetingTimeoutMs } = options;
    this.#stopGreetingTimer = startTimer(greetingTimeoutMs, () => {
      const awaited = this.#state === "connecting" ? "QMP greeting" : "answer to qmp_capabilities";
      this.#giveUp(new QmpTimeoutError(awaited, greetingTimeoutMs ?? 0));
    });
    this.#wire = new Wire(transport, {
      onMessage: (message, text) => this.#receive(message, text),
      onEnd: (reason, cause) => this.#finish(reason, cause),
      record: recordTo(options.transcript, this.#log),
    });
  }

  get state(): QmpState {
    return this.#state;
  }

  /**
   * Sends a command and gives what QEMU returns. Several may be under way at once, from the greeting on.
   * @throws QmpCommandError, QmpTimeoutError, QmpDisconnectedError, QmpStateError, or the signal's reason.
   */
  execute<Name extends CommandName>(
    name: Name,
    ...[args, options]: ExecuteParameters<Name>
  ): Promise<CommandResult<Name>> {
    return this.#request("execute", name, args, options) as Promise<CommandResult<Name>>;
  }

  /** The same for a command that the types do not know. */
  executeRaw(name: string, args?: RawArguments, options?: WaitOptions): Promise<unknown> {
    return this.#request("execute", name, args, options);
  }

  /**
   * Sends a command ahead of those under way. Needs the capability `oob`, and a command that allows it:
   * in QEMU 7.2 and 10.0 `migrate-recover`, `migrate-pause`, `yank` and `query-yank`.
   */
  executeOob(name: string, args?: RawArguments, options?: WaitOptions): Promise<unknown> {
    if (!this.#options.capabilities?.includes("oob")) {
      const message = `${name}: out-of-band commands need the capability "oob", which was not asked for`;
      return Promise.reject(new QmpStateError(message, this.#state));
    }
    return this.#request("exec-oob", name, args, options);
  }

  /**
   * Opens a queue of the events that arrive from now on. Nothing from before is in it, so that an old event never
   * passes for the outcome of a new command; to miss nothing at all, listen before `ready`.
   * @throws QmpStateError while disconnecting, QmpDisconnectedError after.
   */
  listen<Name extends EventName>(
    names: readonly Name[],
    filter?: (event: QmpEvent<Name>) => boolean,
  ): QmpListener<QmpEvent<Name>>;
  listen(names?: readonly string[], filter?: (event: AnyQmpEvent) => boolean): QmpListener<AnyQmpEvent>;
  listen(names?: readonly string[], filter?: (event: never) => boolean): unknown {
    const label = names === undefined ? "event" : `${names.join(" or ")} event`;
    const refusal = this.#refusal(`listen for a ${label}`, "connecting", "negotiating", "running");
    if (refusal !== undefined) throw refusal;
    const listener: QmpListener = new QmpListener({
      accepts: (event) => (names?.includes(event.event) ?? true) && (filter?.(event as never) ?? true),
      onClose: () => this.#listeners.delete(listener),
      state: () => this.#state,
      log: this.#log,
      label,
    });
    this.#listeners.add(listener);
    return listener;
  }

  /** Ends the connection, not QEMU. All that is under way fails. Resolves once the transport is gone. */
  async close(): Promise<void> {
    if (this.#end === undefined) {
      this.#fail("closed-here", undefined);
      this.#state = "disconnecting";
      this.#wire.close();
    }
    await this.closed;
  }

  #receive(message: unknown, text: string): void {
    if (this.#state === "disconnecting") return;
    const what = classify(message);
    if (this.#state === "connecting") {
      if (what.kind === "greeting") this.#negotiate(what.greeting);
      else {
        const found = `the first line is not a QMP greeting: ${excerpt(text)}`;
        this.#giveUp(new QmpGreetingError(found, { received: message }));
      }
    } else if (what.kind === "reply") this.#calls.settle(what.reply);
    else if (what.kind === "event") this.#offer(what.event);
    else this.#log(`dropped a line that is neither answer nor event: ${excerpt(text)}`);
  }

  #negotiate(greeting: QmpGreeting): void {
    const enable = this.#options.capabilities ?? [];
    const missing = enable.filter((capability) => !greeting.capabilities.includes(capability));
    if (missing.length > 0) {
      const message = `QEMU does not offer the QMP capability ${missing.join(", ")}`;
      this.#giveUp(new QmpNegotiationError(message, { received: greeting }));
      return;
    }
    this.#state = "negotiating";
    this.#settleGreeting?.resolve(greeting);
    const args = enable.length === 0 ? undefined : { enable };
    this.#send("execute", "qmp_capabilities", args, { timeoutMs: 0 }).then(
      () => {
        if (this.#state !== "negotiating") return;
        this.#stopGreetingTimer();
        this.#state = "running";
        this.#settleReady?.resolve(greeting);
      },
      (error: unknown) => {
        if (!(error instanceof QmpCommandError)) return;
        const { sent, received } = error;
        const message = `the QMP negotiation was refused: ${error.desc}`;
        this.#giveUp(new QmpNegotiationError(message, { sent, received, cause: error }));
      },
    );
  }

  async #request(
    verb: "execute" | "exec-oob",
    name: string,
    args: unknown,
    options: WaitOptions = {},
  ): Promise<unknown> {
    // QEMU takes commands in order: what is sent behind qmp_capabilities is answered after it.
    const early: readonly QmpState[] = verb === "execute" ? ["negotiating"] : [];
    const refusal = this.#refusal(`execute ${name}`, "running", ...early);
    if (refusal !== undefined) throw refusal;
    options.signal?.throwIfAborted();
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs ?? defaultTimeoutMs;
    assertTimeout(timeoutMs);
    return this.#send(verb, name, args, { ...options, timeoutMs });
  }

  #send(verb: "execute" | "exec-oob", name: string, args: unknown, options: WaitOptions): Promise<unknown> {
    const id = this.#calls.takeId();
    const sent = { [verb]: name, ...(args === undefined ? {} : { arguments: args }), id };
    const line = encodeLine(sent);
    const answer = this.#calls.wait(id, { command: name, arguments: args, sent }, options);
    this.#wire.send(line);
    return answer;
  }

  #offer(event: AnyQmpEvent): void {
    if (!isKnownEvent(event)) this.#log(`passed on an event that is not in our types: ${event.event}`);
    for (const listener of [...this.#listeners]) listener.offer(event);
  }

  #refusal(what: string, ...allowed: readonly QmpState[]): Error | undefined {
    const state = this.#state;
    if (allowed.includes(state)) return undefined;
    if (this.#end !== undefined && state === "disconnected") return disconnected(this.#end, what);
    const awaited = state === "connecting" ? "greeting" : "ready";
    const way = state === "disconnecting" ? "open a new connection" : `await \`${awaited}\` first`;
    return new QmpStateError(`cannot ${what}: the QMP client is ${state}; ${way}`, state);
  }

  /** What came cannot be worked with. */
  #giveUp(cause: Error): void {
    this.#fail("protocol", cause);
    this.#wire.destroy();
  }

  /** Fails all that waits: nothing more will come. */
  #fail(reason: DisconnectReason, cause: Error | undefined): void {
    const end = new QmpDisconnectedError(describeEnd(reason, cause, this.#wire.heldBytes), {
      reason,
      state: this.#state,
      cause,
    });
    this.#end = end;
    this.#stopGreetingTimer();
    const why = reason === "protocol" && cause !== undefined ? cause : end;
    for (const settle of [this.#settleGreeting, this.#settleReady]) settle?.reject(why);
    this.#calls.failAll(({ command, sent }) => disconnected(end, `get an answer to ${command}`, sent));
    for (const listener of [...this.#listeners]) listener.fail(end);
  }

  #finish(reason: DisconnectReason, cause: Error | undefined): void {
    if (this.#end === undefined) this.#fail(reason, cause);
    this.#state = "disconnected";
    if (this.#end !== undefined) this.#settleClosed?.(this.#end);
  }
}

/**
 * Waits for the greeting, negotiates and gives a client that is ready for commands. On failure the transport is
 * destroyed.
 * @throws QmpGreetingError, QmpNegotiationError, QmpProtocolError, QmpTimeoutError, QmpDisconnectedError.
 */
export async function connectQmp(transport: ByteStream, options: QmpClientOptions = {}): Promise<QmpClient> {
  const client = new QmpClient(transport, options);
  await client.ready;
  return client;
}
