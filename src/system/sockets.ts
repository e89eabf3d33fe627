import type { Duplex } from "node:stream";
import { bun } from "./bun.ts";
import { BunStream } from "./bun-stream.ts";
import { files } from "./files.ts";
import { type Sockets, SystemError } from "./system.ts";
import { asSystemError } from "./system-error.ts";

/** How long a listener may leave its queue full. QEMU's holds two, and programs that left at once are still in it. */
const queueWaitMs = 3_000;
const queueLookMs = 10;

/** Real unix sockets. */
export const sockets: Sockets = {
  connect: (path) => (bun === undefined ? sockets.connectDuplex(path) : queue(path, connectByBun)),
  connectDuplex: (path) => queue(path, connectByNode),

  isListening(path) {
    const table = files.tryReadText("/proc/self/net/unix") ?? "";
    return table.split("\n").some((line) => line.endsWith(` ${path}`) && line.split(/\s+/)[3] === accepts);
  },
};

/** Flags of a socket that accepts connections, __SO_ACCEPTCON. @see https://man7.org/linux/man-pages/man5/proc_pid_net.5.html */
const accepts = "00010000";

/** Connects as soon as the listener's queue has room. */
async function queue<T>(path: string, connect: (path: string) => Promise<T>): Promise<T> {
  const deadline = performance.now() + queueWaitMs;
  for (;;) {
    try {
      return await connect(path);
    } catch (error) {
      if (!(error instanceof SystemError && isQueueFull(error, path))) throw error;
      if (performance.now() > deadline) {
        throw new SystemError("EAGAIN", `connect EAGAIN ${path}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, queueLookMs));
    }
  }
}

/** Bun says of a full queue what it says where nobody listens; the kernel knows which it is. */
function isQueueFull({ code }: SystemError, path: string): boolean {
  return code === "EAGAIN" || (bun !== undefined && code === "ECONNREFUSED" && sockets.isListening(path));
}

async function connectByBun(path: string): Promise<BunStream> {
  if (bun === undefined) throw new Error("not run by Bun");
  try {
    return await BunStream.open(bun, { unix: path });
  } catch (error) {
    const { code = "EUNKNOWN" } = error as NodeJS.ErrnoException;
    throw new SystemError(code, `connect ${code} ${path}`, { cause: error });
  }
}

async function connectByNode(path: string): Promise<Duplex> {
  // Loaded when first needed: most commands talk to nobody.
  const { connect } = await import("node:net");
  return new Promise<Duplex>((resolve, reject) => {
    const socket = connect({ path });
    const refuse = (error: Error) => reject(asSystemError(error));
    socket.once("error", refuse);
    socket.once("connect", () => {
      socket.removeListener("error", refuse);
      resolve(socket);
    });
  });
}
