import type { ByteStream } from "../system/index.ts";

/** The guest agent answers not at all, or not as the protocol has it. */
export class AgentError extends Error {
  override readonly name: string = "AgentError";
}

/** The agent answers that it cannot do it. */
export class AgentRefusal extends AgentError {
  override readonly name = "AgentRefusal";
}

/** The byte that tells both sides to forget what they were reading. It cannot be in JSON, nor in UTF-8. */
export const syncByte = 0xff;

/**
 * One request at a time to a qemu-ga behind a stream: a line of JSON each way. After a request that got no answer the
 * stream is closed, since a late answer would pass for the next one's.
 * @see https://www.qemu.org/docs/master/interop/qemu-ga-ref.html
 */
export class AgentWire {
  readonly #stream: ByteStream;
  #buffer = Buffer.alloc(0);
  #end: AgentError | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: ByteStream) {
    this.#stream = stream;
    stream.on("data", (chunk: Uint8Array) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#wake?.();
    });
    const end = (error?: Error) => {
      this.#end ??= new AgentError(`the agent's socket is closed${error ? `: ${error.message}` : ""}`);
      this.#wake?.();
    };
    stream.on("error", end);
    stream.on("close", () => end());
  }

  /**
   * Agrees with the agent on where answers begin: whatever an earlier client left is dropped on both sides.
   * @see https://www.qemu.org/docs/master/interop/qemu-ga-ref.html (guest-sync-delimited)
   */
  async synchronize(timeoutMs: number): Promise<void> {
    const id = Math.floor(Math.random() * 0x7fff_ffff);
    const request = JSON.stringify({ execute: "guest-sync-delimited", arguments: { id } });
    this.#stream.write(Buffer.concat([Buffer.of(syncByte), Buffer.from(`${request}\n`)]));
    await this.#within("guest-sync-delimited", timeoutMs, async () => {
      for (;;) {
        await this.#until(() => this.#buffer.includes(syncByte));
        this.#buffer = this.#buffer.subarray(this.#buffer.lastIndexOf(syncByte) + 1);
        if (returned(await this.#line()) === id) return;
      }
    });
  }

  /** @throws AgentError */
  async execute(name: string, args: object | undefined, timeoutMs: number): Promise<unknown> {
    this.#stream.write(`${JSON.stringify({ execute: name, ...(args && { arguments: args }) })}\n`);
    return this.#within(name, timeoutMs, async () => returned(await this.#line(), name));
  }

  close(): void {
    this.#stream.destroy();
  }

  async #line(): Promise<string> {
    await this.#until(() => this.#buffer.includes("\n"));
    const end = this.#buffer.indexOf("\n");
    const line = this.#buffer.subarray(0, end).toString("utf8");
    this.#buffer = this.#buffer.subarray(end + 1);
    return line;
  }

  async #until(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.#end !== undefined) throw this.#end;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #within<T>(name: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.#end ??= new AgentError(`no answer to ${name} within ${timeoutMs} ms`);
      this.#stream.destroy();
      this.#wake?.();
    }, timeoutMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  }
}

function returned(line: string, name?: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(line);
  } catch {
    throw new AgentError(`the agent answered ${name ?? "the synchronization"} with what is no JSON`);
  }
  const { return: value, error } = (answer ?? {}) as { return?: unknown; error?: { desc?: unknown } };
  if (error === undefined) return value;
  throw new AgentRefusal(`${name ?? "guest-sync-delimited"}: ${String(error.desc ?? "refused")}`);
}
