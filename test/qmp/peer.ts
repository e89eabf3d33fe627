import { Duplex } from "node:stream";
import { LineDecoder } from "../../src/qmp/codec.ts";

export const greeting = {
  QMP: {
    version: { qemu: { major: 7, minor: 2, micro: 22 }, package: "Debian" },
    capabilities: ["oob"],
  },
};

/** A request as it arrives at the other side. */
export interface Request {
  readonly id: number;
  readonly execute?: string;
  readonly "exec-oob"?: string;
  readonly arguments?: Record<string, unknown>;
}

/** The other side of a connection, played by a test: it says what no well-behaved QEMU can be made to say. */
export class Peer {
  /** For the client. */
  readonly transport: Duplex;
  /** What was received and not yet taken. */
  readonly requests: Request[] = [];
  readonly #decoder = new LineDecoder();
  readonly #waiting: ((request: Request) => void)[] = [];
  #sawEnd = false;

  constructor() {
    this.transport = new Duplex({
      read() {},
      write: (chunk: Uint8Array, _encoding, done) => {
        for (const line of this.#decoder.push(chunk)) {
          if (!("message" in line)) throw new Error(line.problem);
          const request = line.message as Request;
          const waiting = this.#waiting.shift();
          if (waiting === undefined) this.requests.push(request);
          else waiting(request);
        }
        done();
      },
      final: (done) => {
        this.#sawEnd = true;
        done();
      },
    });
  }

  /** Whether the client ended its half. */
  get sawEnd(): boolean {
    return this.#sawEnd;
  }

  /** The next request, also one that came before. */
  take(): Promise<Request> {
    const early = this.requests.shift();
    if (early !== undefined) return Promise.resolve(early);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Messages, as QEMU writes them, in one chunk. */
  send(...messages: readonly object[]): void {
    this.sendText(messages.map((message) => `${JSON.stringify(message)}\r\n`).join(""));
  }

  sendText(text: string | Uint8Array): void {
    this.transport.push(text);
  }

  /** Greets, and accepts the negotiation. */
  async negotiate(): Promise<Request> {
    this.send(greeting);
    const request = await this.take();
    this.send({ return: {}, id: request.id });
    return request;
  }

  /** Closes as QEMU does when it exits in order. */
  end(): void {
    this.transport.push(null);
  }

  /** Closes as QEMU does when it exits with unread input. */
  reset(code = "ECONNRESET"): void {
    this.transport.destroy(Object.assign(new Error(`read ${code}`), { code }));
  }
}

/** Lets everything run that is ready to. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
