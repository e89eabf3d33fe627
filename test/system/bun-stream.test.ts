import { expect, it } from "vitest";
import { BunStream } from "../../src/system/bun-stream.ts";

type Handler = Parameters<Parameters<typeof BunStream.open>[0]["connect"]>[0]["socket"];

/** A stream whose socket takes so many bytes at a time; the test plays the other side. */
async function open(room = Number.POSITIVE_INFINITY) {
  const written: string[] = [];
  const state = { room, isEnded: false };
  let handler: Handler | undefined;
  const socket = {
    write(bytes: Uint8Array) {
      const taken = Math.min(bytes.length, state.room);
      if (taken > 0) written.push(Buffer.from(bytes.subarray(0, taken)).toString());
      state.room -= taken;
      return taken;
    },
    terminate() {
      state.isEnded = true;
    },
  };
  const runtime = {
    spawn: () => {
      throw new Error("nothing is started here");
    },
    connect: async (options: { readonly socket: Handler }) => {
      handler = options.socket;
      return socket;
    },
  };
  const stream = await BunStream.open(runtime, { unix: "/a" });
  const say = (text: string) => handler?.data(socket, Buffer.from(text));
  return { stream, say, written, state, handler: () => handler as Handler };
}

it("keeps what comes before anybody listens, and gives it in order", async () => {
  const { stream, say } = await open();
  const heard: string[] = [];
  say("one ");
  say("two ");
  stream.on("data", (chunk) => heard.push(Buffer.from(chunk).toString()));
  expect(heard).toEqual([]);
  await Promise.resolve();
  say("three");
  expect(heard.join("")).toBe("one two three");
});

it("keeps what there is no room for, and ends when all is out", async () => {
  const { stream, written, state, handler } = await open(4);
  const closed: string[] = [];
  stream.on("close", () => closed.push("closed"));
  stream.write("first ");
  stream.write("second");
  stream.end();
  expect(written).toEqual(["firs"]);
  expect(state.isEnded).toBe(false);
  state.room = 5;
  handler().drain();
  expect(written.join("")).toBe("first sec");
  state.room = 100;
  handler().drain();
  expect(written.join("")).toBe("first second");
  expect([state.isEnded, closed, stream.destroyed]).toEqual([true, ["closed"], true]);
});

it("ends at once where nothing waits, and tells its end once", async () => {
  const { stream, state, handler } = await open();
  const told: string[] = [];
  stream.on("end", () => told.push("end"));
  stream.on("close", () => told.push("close"));
  stream.on("error", (error) => told.push(error.message));
  const socket = { write: () => 0, terminate: () => {} };
  handler().error(socket, new Error("reset"));
  handler().end();
  stream.end();
  handler().close();
  stream.destroy();
  expect(told).toEqual(["reset", "end", "close"]);
  expect(state.isEnded).toBe(true);
});
