import { type CommandRequest, QmpCommandError, QmpProtocolError, QmpTimeoutError } from "./errors.ts";
import type { Reply } from "./messages.ts";
import { startTimer, type WaitOptions } from "./timer.ts";

interface Call {
  readonly request: CommandRequest;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Stops the timer and stops listening to the signal. */
  readonly release: () => void;
}

/** The commands that wait for their answer, by request id. Ids count from 1 and are never used twice. */
export class Calls {
  readonly #log: (message: string) => void;
  readonly #inFlight = new Map<number, Call>();
  readonly #abandoned = new Map<number, string>();
  #lastId = 0;

  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  takeId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** The answer to the request with this id. Rejects on an error answer, the time limit or the signal. */
  wait(id: number, request: CommandRequest, options: WaitOptions): Promise<unknown> {
    const { timeoutMs, signal } = options;
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#abandon(id, signal?.reason);
      const stopTimer = startTimer(timeoutMs, () =>
        this.#abandon(
          id,
          new QmpTimeoutError(`answer to ${request.command}`, timeoutMs ?? 0, { sent: request.sent }),
        ),
      );
      signal?.addEventListener("abort", onAbort, { once: true });
      const release = () => {
        stopTimer();
        signal?.removeEventListener("abort", onAbort);
      };
      this.#inFlight.set(id, { request, resolve, reject, release });
    });
  }

  /** Settles the call that a reply belongs to. A reply to nothing is logged and dropped, as the specification asks. */
  settle(reply: Reply): void {
    const id = this.#ownerOf(reply);
    const call = id === undefined ? undefined : this.#take(id);
    if (call === undefined) {
      this.#logStray(reply);
      return;
    }
    const { outcome, received } = reply;
    if (outcome.ok === true) call.resolve(outcome.value);
    else if (outcome.ok === false) call.reject(new QmpCommandError(call.request, outcome, received));
    else {
      const message = `${call.request.command}: an error answer without class and desc`;
      call.reject(new QmpProtocolError(message, { sent: call.request.sent, received }));
    }
  }

  /** Rejects every call in flight. */
  failAll(makeError: (request: CommandRequest) => Error): void {
    for (const id of [...this.#inFlight.keys()]) {
      const call = this.#take(id);
      call?.reject(makeError(call.request));
    }
  }

  /** QEMU answers what it cannot parse without an id; with one call waiting, it can only be that one's. */
  #ownerOf(reply: Reply): number | undefined {
    if (typeof reply.id === "number") return reply.id;
    const [only] = this.#inFlight.keys();
    const certain = this.#inFlight.size === 1 && this.#abandoned.size === 0;
    return reply.id === undefined && reply.outcome.ok === false && certain ? only : undefined;
  }

  #take(id: number): Call | undefined {
    const call = this.#inFlight.get(id);
    this.#inFlight.delete(id);
    call?.release();
    return call;
  }

  #abandon(id: number, error: unknown): void {
    const call = this.#take(id);
    if (call === undefined) return;
    this.#abandoned.set(id, call.request.command);
    call.reject(error);
  }

  #logStray(reply: Reply): void {
    const late = typeof reply.id === "number" ? this.#abandoned.get(reply.id) : undefined;
    if (late !== undefined) this.#abandoned.delete(reply.id as number);
    const what = late === undefined ? "an answer to no request of ours" : `a late answer to ${late}`;
    this.#log(`dropped ${what}: ${JSON.stringify(reply.received)}`);
  }
}
