import { describe, expect, test } from "vitest";
import {
  connectQmp,
  QmpClient,
  QmpDisconnectedError,
  QmpGreetingError,
  QmpNegotiationError,
  QmpTimeoutError,
} from "../../src/qmp/index.ts";
import { greeting, Peer } from "./peer.ts";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const greetingBytes = Buffer.from(`${JSON.stringify(greeting)}\r\n`);

describe("the greeting", () => {
  test("may be split at any byte", async () => {
    for (let place = 1; place < greetingBytes.length; place += 1) {
      const peer = new Peer();
      const connecting = connectQmp(peer.transport);
      peer.sendText(greetingBytes.subarray(0, place));
      peer.sendText(greetingBytes.subarray(place));
      peer.send({ return: {}, id: (await peer.take()).id });
      const client = await connecting;
      expect((await client.ready).version.qemu).toEqual({ major: 7, minor: 2, micro: 22 });
      peer.end();
      await client.closed;
    }
  });

  test("may be there before the client", async () => {
    const peer = new Peer();
    peer.send(greeting);
    const connecting = connectQmp(peer.transport);
    peer.send({ return: {}, id: (await peer.take()).id });
    expect((await connecting).state).toBe("running");
  });

  test("is told before QEMU answers, which may take long", async () => {
    const peer = new Peer();
    const client = new QmpClient(peer.transport);
    peer.send(greeting);
    expect((await client.greeting).version.qemu.major).toBe(7);
    expect(client.state).toBe("negotiating");
    peer.end();
    await expect(client.ready).rejects.toThrow(QmpDisconnectedError);
    const other = new Peer();
    const silent = new QmpClient(other.transport);
    other.end();
    await expect(silent.greeting).rejects.toThrow(QmpDisconnectedError);
  });

  test.each(["{}", '{"return": {}}', '{"event": "STOP"}', '{"QMP": {}}', "null", "[]"])(
    "is not %s",
    async (text) => {
      const peer = new Peer();
      const connecting = connectQmp(peer.transport);
      peer.sendText(`${text}\n`);
      await expect(connecting).rejects.toThrow(QmpGreetingError);
      await expect(connecting).rejects.toMatchObject({ received: JSON.parse(text) });
      expect(peer.transport.destroyed).toBe(true);
    },
  );

  test("that is none ends it all, whatever follows in the same chunk", async () => {
    const peer = new Peer();
    const received: string[] = [];
    const connecting = connectQmp(peer.transport, { transcript: ({ text }) => received.push(text) });
    peer.send({ hello: 1 }, greeting);
    await expect(connecting).rejects.toThrow(QmpGreetingError);
    expect(received).toEqual(['{"hello":1}']);
    expect(peer.requests).toEqual([]);
  });

  test("is not another protocol's", async () => {
    const peer = new Peer();
    const connecting = connectQmp(peer.transport);
    peer.sendText("SSH-2.0-OpenSSH_9.2\r\n");
    await expect(connecting).rejects.toMatchObject({
      name: "QmpProtocolError",
      message: expect.stringContaining("SSH-2.0"),
      received: "SSH-2.0-OpenSSH_9.2",
    });
  });

  test("has a limit of its own when it is given one", async () => {
    const peer = new Peer();
    const connecting = connectQmp(peer.transport, { greetingTimeoutMs: 5 });
    await expect(connecting).rejects.toThrow(QmpTimeoutError);
    await expect(connecting).rejects.toThrow("no QMP greeting within 5 ms");
    expect(peer.transport.destroyed).toBe(true);
  });
});

describe("the negotiation", () => {
  test("asks for nothing unless told", async () => {
    const peer = new Peer();
    const connecting = connectQmp(peer.transport);
    expect(await peer.negotiate()).toEqual({ execute: "qmp_capabilities", id: 1 });
    await connecting;
  });

  test("asks for the capabilities that it is told", async () => {
    const peer = new Peer();
    const connecting = connectQmp(peer.transport, { capabilities: ["oob"] });
    expect(await peer.negotiate()).toMatchObject({ arguments: { enable: ["oob"] } });
    await connecting;
  });

  test("fails when a capability is not offered", async () => {
    const peer = new Peer();
    const connecting = connectQmp(peer.transport, { capabilities: ["oob"] });
    peer.send({ QMP: { version: greeting.QMP.version, capabilities: [] } });
    await expect(connecting).rejects.toThrow(QmpNegotiationError);
    await expect(connecting).rejects.toThrow("does not offer the QMP capability oob");
  });

  test("keeps the words of a refusal", async () => {
    const peer = new Peer();
    const connecting = connectQmp(peer.transport);
    peer.send(greeting);
    peer.send({ id: (await peer.take()).id, error: { class: "GenericError", desc: "not today" } });
    await expect(connecting).rejects.toThrow(QmpNegotiationError);
    await expect(connecting).rejects.toMatchObject({
      message: expect.stringContaining("not today"),
      sent: { execute: "qmp_capabilities" },
      cause: { name: "QmpCommandError", class: "GenericError" },
    });
    expect(peer.transport.destroyed).toBe(true);
  });

  test("shares the greeting's limit, not the commands'", async () => {
    const peer = new Peer();
    const connecting = connectQmp(peer.transport, { greetingTimeoutMs: 20, timeoutMs: 1 });
    peer.send(greeting);
    await expect(connecting).rejects.toThrow("no answer to qmp_capabilities within 20 ms");
  });

  test("takes longer than a command may, as when memory is being prepared", async () => {
    const peer = new Peer();
    const connecting = connectQmp(peer.transport, { timeoutMs: 1 });
    peer.send(greeting);
    const { id } = await peer.take();
    await pause(10);
    peer.send({ return: {}, id });
    expect((await connecting).state).toBe("running");
  });

  test("once done, its limit is no more", async () => {
    const peer = new Peer();
    const connecting = connectQmp(peer.transport, { greetingTimeoutMs: 5 });
    await peer.negotiate();
    const client = await connecting;
    await pause(15);
    expect(client.state).toBe("running");
  });

  test("cut off right after its answer does not pass for done", async () => {
    const peer = new Peer();
    const client = new QmpClient(peer.transport);
    peer.send(greeting);
    const { id } = await peer.take();
    // In one callback of the event loop, the end is seen before any promise goes on.
    setImmediate(() => {
      peer.send({ return: {}, id });
      peer.transport.destroy();
    });
    await expect(client.ready).rejects.toThrow(QmpDisconnectedError);
    expect(client.state).toBe("disconnected");
  });

  test("an event in the chunk of its answer reaches a listener opened before", async () => {
    const peer = new Peer();
    const client = new QmpClient(peer.transport);
    const listener = client.listen();
    peer.send(greeting);
    peer.send({ return: {}, id: (await peer.take()).id }, { event: "RESUME" });
    await client.ready;
    expect(await listener.next()).toMatchObject({ event: "RESUME" });
  });
});

describe("a peer that closes never leaves the caller waiting", () => {
  const ends: readonly [string, (peer: Peer) => void][] = [
    ["end", (peer) => peer.end()],
    ["reset", (peer) => peer.reset()],
  ];

  test.each(ends)("before the first byte: %s", async (_, finish) => {
    const peer = new Peer();
    const connecting = connectQmp(peer.transport);
    finish(peer);
    await expect(connecting).rejects.toThrow(QmpDisconnectedError);
    await expect(connecting).rejects.toMatchObject({ reason: "closed-by-peer", state: "connecting" });
  });

  test.each(ends)("at any byte of the greeting: %s", async (_, finish) => {
    for (let place = 1; place < greetingBytes.length; place += 1) {
      const peer = new Peer();
      const connecting = connectQmp(peer.transport);
      peer.sendText(greetingBytes.subarray(0, place));
      finish(peer);
      await expect(connecting).rejects.toMatchObject({ reason: "closed-by-peer", state: "connecting" });
    }
  });

  test.each(ends)("before it answers the negotiation: %s", async (_, finish) => {
    const peer = new Peer();
    const connecting = connectQmp(peer.transport);
    peer.send(greeting);
    await peer.take();
    finish(peer);
    await expect(connecting).rejects.toMatchObject({ reason: "closed-by-peer", state: "negotiating" });
  });

  test("before the client was made", async () => {
    const ended = new Peer();
    ended.end();
    ended.transport.resume();
    await new Promise((resolve) => ended.transport.once("end", resolve));
    await expect(connectQmp(ended.transport)).rejects.toThrow(QmpDisconnectedError);
    const destroyed = new Peer();
    destroyed.transport.destroy();
    await expect(connectQmp(destroyed.transport)).rejects.toThrow(QmpDisconnectedError);
  });
});
