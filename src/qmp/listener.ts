import { type QmpState, QmpStateError, QmpTimeoutError } from "./errors.ts";
import type { AnyQmpEvent } from "./events.ts";
import { startTimer, type WaitOptions } from "./timer.ts";

/** Events that a listener keeps for a reader who does not read; the oldest are dropped beyond it. */
export const listenerLimit = 10_000;

interface Waiter<Event> {
  readonly resolve: (event: Event) => void;
  readonly reject: (error: unknown) => void;
  readonly release: () => void;
}

/** How the client steers a listener; not for its readers. */
export interface ListenerHooks {
  readonly accepts: (event: AnyQmpEvent) => boolean;
  readonly onClose: () => void;
  readonly state: () => QmpState;
  readonly log: (message: string) => void;
  /** Names what is listened to, for messages: `DEVICE_DELETED event`. */
  readonly label: string;
}

/**
 * A queue of the events that arrive from the moment it is opened, in order. Open it before the command whose event
 * it is for: then the event cannot be missed. What came before a disconnect can still be read after it.
 */
export class QmpListener<Event = AnyQmpEvent> implements AsyncIterable<Event> {
  readonly #hooks: ListenerHooks;
  readonly #queue: Event[] = [];
  readonly #waiters: Waiter<Event>[] = [];
  #end: { readonly error: Error; readonly closedHere: boolean } | undefined;
  #dropped = 0;

  /** Opened by `QmpClient.listen`. */
  constructor(hooks: ListenerHooks) {
    this.#hooks = hooks;
  }

  /** How many events were dropped because nobody read. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * The next event. Waits without limit unless told otherwise.
   * Rejects with QmpTimeoutError, QmpDisconnectedError, the signal's reason, or QmpStateError when the listener is closed.
   */
  next(options: WaitOptions = {}): Promise<Event> {
    const queued = this.#queue.shift();
    if (queued !== undefined) return Promise.resolve(queued);
    if (this.#end !== undefined) return Promise.reject(this.#end.error);
    const { timeoutMs, signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const leave = (error: unknown) => {
        const place = this.#waiters.indexOf(waiter);
        if (place === -1) return;
        this.#waiters.splice(place, 1);
        waiter.release();
        reject(error);
      };
      const onAbort = () => leave(signal?.reason);
      const stopTimer = startTimer(timeoutMs, () =>
        leave(new QmpTimeoutError(this.#hooks.label, timeoutMs ?? 0)),
      );
      signal?.addEventListener("abort", onAbort, { once: true });
      const release = () => {
        stopTimer();
        signal?.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter<Event> = { resolve, reject, release };
      this.#waiters.push(waiter);
    });
  }

  /** Stops listening and forgets what was not read. Harmless when repeated. */
  close(): void {
    this.#queue.length = 0;
    const message = `the listener for a ${this.#hooks.label} is closed`;
    this.#finish(new QmpStateError(message, this.#hooks.state()), true);
  }

  /** Ends when the listener is closed, throws when the connection ends. Leaving the loop closes the listener. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, void> {
    try {
      while (this.#end?.closedHere !== true) yield await this.next();
    } catch (error) {
      if (this.#end?.closedHere !== true) throw error;
    } finally {
      this.close();
    }
  }

  /** Called by the client with every event. */
  offer(event: AnyQmpEvent): void {
    if (this.#end !== undefined) return;
    try {
      if (!this.#hooks.accepts(event)) return;
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#keep(event as Event);
      return;
    }
    waiter.release();
    waiter.resolve(event as Event);
  }

  /** Called by the client when no event can come any more. */
  fail(error: Error): void {
    this.#finish(error, false);
  }

  #keep(event: Event): void {
    this.#queue.push(event);
    if (this.#queue.length <= listenerLimit) return;
    this.#queue.shift();
    this.#dropped += 1;
    if (this.#dropped === 1)
      this.#hooks.log(`a listener for a ${this.#hooks.label} is full: nobody reads it`);
  }

  #finish(error: Error, closedHere: boolean): void {
    if (this.#end !== undefined) return;
    this.#end = { error, closedHere };
    this.#hooks.onClose();
    for (const waiter of this.#waiters.splice(0)) {
      waiter.release();
      waiter.reject(error);
    }
  }
}
