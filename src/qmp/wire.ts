import type { ByteStream } from "../system/index.ts";
import { LineDecoder } from "./codec.ts";
import { type DisconnectReason, QmpProtocolError } from "./errors.ts";
import { startTimer } from "./timer.ts";
import type { TranscriptEntry } from "./transcript.ts";

/** How long `close()` lets the other side finish before the transport is cut. */
const closeGraceMs = 500;

interface WireHandlers {
  readonly onMessage: (message: unknown, text: string) => void;
  /** Called once; nothing comes after it. */
  readonly onEnd: (reason: DisconnectReason, cause: Error | undefined) => void;
  readonly record: (direction: TranscriptEntry["direction"], text: string) => void;
}

/** Messages over a transport, both ways, and its end. Owns the transport. */
export class Wire {
  readonly #transport: ByteStream;
  readonly #handlers: WireHandlers;
  readonly #decoder = new LineDecoder();
  #unsent = "";
  #ended = false;
  #stopGrace = () => {};

  constructor(transport: ByteStream, handlers: WireHandlers) {
    this.#transport = transport;
    this.#handlers = handlers;
    transport.on("data", (chunk: Uint8Array | string) => this.#receive(chunk));
    transport.on("end", () => this.#end("closed-by-peer", undefined));
    transport.on("close", () => this.#end("closed-by-peer", undefined));
    transport.on("error", (error: NodeJS.ErrnoException) => {
      // The usual last sign of a QEMU that exits with unread input.
      const left = error.code === "ECONNRESET" || error.code === "EPIPE";
      this.#end(left ? "closed-by-peer" : "transport", error);
    });
    if (transport.destroyed || transport.readableEnded) {
      queueMicrotask(() => this.#end("closed-by-peer", undefined));
    }
  }

  /** How many bytes of an unfinished message are held. */
  get heldBytes(): number {
    return this.#decoder.heldBytes;
  }

  /** What is sent without a pause goes out in one piece: each piece wakes QEMU, which may take our processor for it. */
  send(line: string): void {
    this.#handlers.record("sent", line.trimEnd());
    if (this.#unsent === "") queueMicrotask(() => this.#flush());
    this.#unsent += line;
  }

  /** Lets what was sent go out, then ends the transport. */
  close(): void {
    this.#flush();
    this.#transport.end();
    if (!this.#ended) this.#stopGrace = startTimer(closeGraceMs, () => this.destroy());
  }

  destroy(): void {
    this.#end("closed-here", undefined);
  }

  #flush(): void {
    if (this.#unsent === "" || this.#ended) return;
    this.#transport.write(this.#unsent);
    this.#unsent = "";
  }

  #receive(chunk: Uint8Array | string): void {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    for (const line of this.#decoder.push(bytes)) {
      if (this.#ended) return;
      this.#handlers.record("received", line.text);
      if ("problem" in line) {
        this.#end("protocol", new QmpProtocolError(`QEMU sent ${line.problem}`, { received: line.text }));
        return;
      }
      this.#handlers.onMessage(line.message, line.text);
    }
  }

  #end(reason: DisconnectReason, cause: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopGrace();
    this.#transport.destroy();
    this.#handlers.onEnd(reason, cause);
  }
}
