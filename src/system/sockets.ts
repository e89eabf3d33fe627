import type { Duplex } from "node:stream";
import { bun } from "./bun.ts";
import { BunStream } from "./bun-stream.ts";
import { type Sockets, SystemError } from "./system.ts";
import { asSystemError } from "./system-error.ts";

/** Real unix sockets. */
export const sockets: Sockets = {
  async connect(path) {
    if (bun === undefined) return sockets.connectDuplex(path);
    try {
      return await BunStream.open(bun, { unix: path });
    } catch (error) {
      const { code = "EUNKNOWN" } = error as NodeJS.ErrnoException;
      throw new SystemError(code, `connect ${code} ${path}`, { cause: error });
    }
  },

  async connectDuplex(path) {
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
  },
};
