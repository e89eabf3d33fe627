import { getEventListeners } from "node:events";
import { describe, expect, test, vi } from "vitest";
import {
  connectQmp,
  QmpClient,
  type QmpClientOptions,
  QmpCommandError,
  QmpDisconnectedError,
  QmpProtocolError,
  QmpStateError,
  QmpTimeoutError,
} from "../../src/qmp/index.ts";
import { Peer, settle } from "./peer.ts";

async function connected(options: QmpClientOptions = {}) {
  const peer = new Peer();
  const logged: string[] = [];
  const connecting = connectQmp(peer.transport, { log: (message) => logged.push(message), ...options });
  await peer.negotiate();
  return { peer, logged, client: await connecting };
}

/** The error that a promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

describe("commands and answers", () => {
  test("go out with arguments and an id of their own", async () => {
    const { peer, client } = await connected();
    const added = client.execute("device_add", { driver: "virtio-rng-pci", bus: "rp0", addr: "0x0" });
    const request = await peer.take();
    expect(request).toEqual({
      execute: "device_add",
      arguments: { driver: "virtio-rng-pci", bus: "rp0", addr: "0x0" },
      id: 2,
    });
    peer.send({ return: {}, id: request.id });
    expect(await added).toEqual({});
  });

  test("find each other in any order", async () => {
    const { peer, client } = await connected();
    const answers = ["a", "b", "c"].map((path) => client.execute("qom-get", { path, property: "p" }));
    const requests = [await peer.take(), await peer.take(), await peer.take()];
    expect(new Set(requests.map(({ id }) => id)).size).toBe(3);
    for (const request of requests.reverse()) peer.send({ return: request.arguments?.path, id: request.id });
    expect(await Promise.all(answers)).toEqual(["a", "b", "c"]);
  });

  test.each(["", 0, false, null])("a result of %j is a result", async (value) => {
    const { peer, client } = await connected();
    const first = client.executeRaw("first");
    const second = client.executeRaw("second");
    peer.send(
      { return: value, id: (await peer.take()).id },
      { return: "second", id: (await peer.take()).id },
    );
    expect(await first).toBe(value);
    expect(await second).toBe("second");
  });

  test("an error keeps class, words, command, arguments and both messages", async () => {
    const { peer, client } = await connected();
    const failed = failureOf(client.execute("device_del", { id: "gpu0" }));
    const { id } = await peer.take();
    peer.send({ id, error: { class: "DeviceNotFound", desc: "Device 'gpu0' not found" } });
    const error = await failed;
    expect(error).toBeInstanceOf(QmpCommandError);
    expect(error).toMatchObject({
      name: "QmpCommandError",
      message: "device_del: Device 'gpu0' not found (DeviceNotFound)",
      class: "DeviceNotFound",
      desc: "Device 'gpu0' not found",
      command: "device_del",
      arguments: { id: "gpu0" },
      sent: { execute: "device_del", arguments: { id: "gpu0" }, id },
      received: { id, error: { class: "DeviceNotFound" } },
    });
  });

  test("an error of an impossible shape fails its command alone", async () => {
    const { peer, client } = await connected();
    const failed = failureOf(client.execute("stop"));
    peer.send({ id: (await peer.take()).id, error: "no" });
    expect(await failed).toBeInstanceOf(QmpProtocolError);
    expect(client.state).toBe("running");
  });

  test("an error without an id belongs to the only command under way", async () => {
    const { peer, client } = await connected();
    const failed = failureOf(client.execute("stop"));
    await peer.take();
    peer.send({ error: { class: "GenericError", desc: "JSON parse error" } });
    expect(await failed).toMatchObject({ name: "QmpCommandError", command: "stop" });
  });

  test("an error without an id is nobody's when two are under way", async () => {
    const { peer, client, logged } = await connected();
    const answers = [client.execute("stop"), client.execute("cont")];
    const requests = [await peer.take(), await peer.take()];
    peer.send({ error: { class: "GenericError", desc: "JSON parse error" } });
    for (const { id } of requests) peer.send({ return: {}, id });
    expect(await Promise.all(answers)).toEqual([{}, {}]);
    expect(logged).toEqual([expect.stringContaining("an answer to no request of ours")]);
  });

  test("events between them reach their listener and nobody else", async () => {
    const { peer, client } = await connected();
    const listener = client.listen(["RESUME"]);
    const answer = client.execute("cont");
    const { id } = await peer.take();
    peer.send({ event: "RESUME" }, { return: {}, id }, { event: "STOP" });
    expect(await answer).toEqual({});
    expect(await listener.next()).toMatchObject({ event: "RESUME" });
  });

  test("what JSON cannot carry is refused, and nothing is sent", async () => {
    const { peer, client } = await connected();
    expect(await failureOf(client.executeRaw("balloon", { value: 1n }))).toBeInstanceOf(TypeError);
    const answer = client.execute("stop");
    const request = await peer.take();
    expect(request.execute).toBe("stop");
    peer.send({ return: {}, id: request.id });
    await answer;
  });
});

describe("what nobody asked for is logged and dropped", () => {
  test.each([
    [{ return: {}, id: 4711 }, "an answer to no request of ours"],
    [{ return: {}, id: "2" }, "an answer to no request of ours"],
    [{ return: {} }, "an answer to no request of ours"],
    [{ error: { class: "GenericError", desc: "?" } }, "an answer to no request of ours"],
    [{ surprise: true }, "neither answer nor event"],
    [{ event: 5 }, "neither answer nor event"],
    [{ event: "NEW_IN_QEMU_12", data: { a: 1 } }, "not in our types: NEW_IN_QEMU_12"],
  ])("%j", async (message, words) => {
    const { peer, client, logged } = await connected();
    peer.send(message);
    await settle();
    expect(logged).toEqual([expect.stringContaining(words)]);
    expect(client.state).toBe("running");
  });

  test.each(["[1]", "17", '"text"', "null"])("%s, which is no object", async (text) => {
    const { peer, client, logged } = await connected();
    peer.sendText(`${text}\r\n`);
    await settle();
    expect(logged).toEqual([expect.stringContaining("neither answer nor event")]);
    expect(client.state).toBe("running");
  });
});

describe("time limits and signals", () => {
  test("a command fails in time, and its late answer is dropped", async () => {
    const { peer, client, logged } = await connected();
    const error = await failureOf(client.execute("stop", {}, { timeoutMs: 5 }));
    expect(error).toBeInstanceOf(QmpTimeoutError);
    expect(error).toMatchObject({
      message: "no answer to stop within 5 ms",
      timeoutMs: 5,
      sent: { execute: "stop", arguments: {}, id: 2 },
    });
    const next = client.execute("query-kvm");
    await peer.take();
    peer.send(
      { return: {}, id: 2 },
      { return: { enabled: true, present: true }, id: (await peer.take()).id },
    );
    expect(await next).toEqual({ enabled: true, present: true });
    expect(logged).toEqual([expect.stringContaining("a late answer to stop")]);
  });

  test("the client's limit holds where the command brings none", async () => {
    const { client } = await connected({ timeoutMs: 5 });
    expect(await failureOf(client.execute("stop"))).toMatchObject({ name: "QmpTimeoutError", timeoutMs: 5 });
  });

  test("0 is no limit, against the client's", async () => {
    const { peer, client } = await connected({ timeoutMs: 1 });
    const answer = client.execute("stop", {}, { timeoutMs: 0 });
    const { id } = await peer.take();
    await failureOf(client.execute("cont"));
    peer.send({ return: {}, id });
    expect(await answer).toEqual({});
  });

  test.each([-1, Number.NaN])("a limit of %d is refused before anything is sent", async (timeoutMs) => {
    const { peer, client } = await connected();
    expect(await failureOf(client.execute("stop", {}, { timeoutMs }))).toBeInstanceOf(RangeError);
    await settle();
    expect(peer.requests).toEqual([]);
  });

  test("a limit beyond what a timer can hold is no limit", async () => {
    const { peer, client } = await connected();
    const answer = client.execute("stop", {}, { timeoutMs: 2 ** 40 });
    const { id } = await peer.take();
    await new Promise((resolve) => setTimeout(resolve, 10));
    peer.send({ return: {}, id });
    expect(await answer).toEqual({});
  });

  test("a signal ends a wait with its reason", async () => {
    const { peer, client } = await connected();
    const controller = new AbortController();
    const failed = failureOf(client.execute("stop", {}, { signal: controller.signal }));
    await peer.take();
    controller.abort(new Error("the user gave up"));
    expect(await failed).toMatchObject({ message: "the user gave up" });
  });

  test("with a signal that is spent nothing is sent", async () => {
    const { peer, client } = await connected();
    const failed = failureOf(
      client.execute("stop", {}, { signal: AbortSignal.abort(new Error("too late")) }),
    );
    expect(await failed).toMatchObject({ message: "too late" });
    await settle();
    expect(peer.requests).toEqual([]);
  });
});

describe("what ended", () => {
  test("leaves no timer and no listener on the signal", async () => {
    const { peer, client } = await connected();
    const { signal } = new AbortController();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const events = client.listen(["STOP"]);
      const answer = client.execute("stop", {}, { timeoutMs: 1000, signal });
      const event = events.next({ timeoutMs: 1000, signal });
      const { id } = await peer.take();
      expect(vi.getTimerCount()).toBe(2);
      expect(getEventListeners(signal, "abort")).toHaveLength(2);
      peer.send({ event: "STOP" }, { return: {}, id });
      await Promise.all([answer, event]);
      expect(vi.getTimerCount()).toBe(0);
      expect(getEventListeners(signal, "abort")).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("the end of a connection", () => {
  test.each([
    ["an end of stream", (peer: Peer) => peer.end()],
    ["a reset", (peer: Peer) => peer.reset()],
    ["a broken pipe", (peer: Peer) => peer.reset("EPIPE")],
    ["a destroyed transport", (peer: Peer) => peer.transport.destroy()],
  ])("by the peer, as %s, fails all that is under way", async (_, finish) => {
    const { peer, client } = await connected();
    const listener = client.listen(["DEVICE_DELETED"]);
    const event = failureOf(listener.next());
    const calls = [
      failureOf(client.execute("stop")),
      failureOf(client.execute("cont", {}, { timeoutMs: 0 })),
    ];
    await peer.take();
    finish(peer);
    for (const [index, error] of (await Promise.all(calls)).entries()) {
      expect(error).toBeInstanceOf(QmpDisconnectedError);
      expect(error).toMatchObject({
        reason: "closed-by-peer",
        state: "running",
        message: expect.stringContaining("QEMU closed the QMP connection"),
        sent: { execute: index === 0 ? "stop" : "cont" },
      });
    }
    expect(await event).toBeInstanceOf(QmpDisconnectedError);
    expect(await client.closed).toMatchObject({ reason: "closed-by-peer" });
    expect(client.state).toBe("disconnected");
    expect(peer.transport.destroyed).toBe(true);
  });

  test("another transport error is kept as the cause", async () => {
    const { peer, client } = await connected();
    peer.reset("EIO");
    expect(await client.closed).toMatchObject({ reason: "transport", cause: { code: "EIO" } });
  });

  test("in the middle of a message says so", async () => {
    const { peer, client } = await connected();
    peer.sendText('{"return": {');
    peer.end();
    expect((await client.closed).message).toContain("in the middle of a message, after 12 bytes");
  });

  test("after an answer in the same chunk leaves the answer", async () => {
    const { peer, client } = await connected();
    const answer = client.execute("quit");
    peer.send({ return: {}, id: (await peer.take()).id });
    peer.end();
    expect(await answer).toEqual({});
    await client.closed;
  });

  test("bad JSON ends it, after what came before, and names the text", async () => {
    const { peer, client } = await connected();
    const answer = client.execute("stop");
    const failed = failureOf(client.execute("cont"));
    peer.sendText(
      `{"return": {}, "id": ${(await peer.take()).id}}\r\nQEMU says hello\r\n{"return": {}, "id": 3}\r\n`,
    );
    expect(await answer).toEqual({});
    expect(await failed).toMatchObject({
      name: "QmpDisconnectedError",
      reason: "protocol",
      message: expect.stringContaining('"QEMU says hello"'),
      cause: { name: "QmpProtocolError", received: "QEMU says hello" },
    });
  });

  test("close() ends our half, fails what is under way and says who closed", async () => {
    const { peer, client } = await connected();
    const failed = failureOf(client.execute("stop"));
    await peer.take();
    const closing = client.close();
    expect(client.state).toBe("disconnecting");
    const refused = await failureOf(client.execute("cont"));
    expect(refused).toBeInstanceOf(QmpStateError);
    expect(refused).toMatchObject({
      state: "disconnecting",
      message: expect.stringContaining("disconnecting"),
    });
    expect(() => client.listen()).toThrow(QmpStateError);
    await settle();
    expect(peer.sawEnd).toBe(true);
    peer.end();
    await closing;
    await client.close();
    expect(await failed).toMatchObject({ name: "QmpDisconnectedError", reason: "closed-here" });
    expect(await client.closed).toMatchObject({ reason: "closed-here", state: "running" });
  });

  test("close() does not wait for a peer that never ends", async () => {
    const { peer, client } = await connected();
    await client.close();
    expect(peer.transport.destroyed).toBe(true);
  });

  test("what comes after close() is dropped", async () => {
    const { peer, client, logged } = await connected();
    const closing = client.close();
    peer.send({ event: "STOP" }, { return: {}, id: 99 });
    await settle();
    peer.end();
    await closing;
    expect(logged).toEqual([]);
  });

  test("later calls say that the connection is gone, and why", async () => {
    const { peer, client } = await connected();
    peer.end();
    await client.closed;
    const error = await failureOf(client.execute("stop"));
    expect(error).toBeInstanceOf(QmpDisconnectedError);
    expect(error).toMatchObject({ message: "cannot execute stop: QEMU closed the QMP connection" });
    expect(() => client.listen(["STOP"])).toThrow(QmpDisconnectedError);
  });

  test("a second sign of the end changes nothing", async () => {
    const { peer, client } = await connected();
    peer.end();
    await client.closed;
    peer.transport.emit("error", Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
    const end = await client.closed;
    expect(end.reason).toBe("closed-by-peer");
    expect(end.cause).toBeUndefined();
  });
});

describe("a call at the wrong time", () => {
  test("says which state the client is in", async () => {
    const peer = new Peer();
    const client = new QmpClient(peer.transport);
    const early = await failureOf(client.execute("stop"));
    expect(early).toBeInstanceOf(QmpStateError);
    expect(early).toMatchObject({ state: "connecting", message: expect.stringContaining("is connecting") });
    peer.send({ QMP: { version: { qemu: { major: 10, minor: 0, micro: 2 } }, capabilities: [] } });
    const { id } = await peer.take();
    expect(client.state).toBe("negotiating");
    peer.send({ return: {}, id });
    await client.ready;
    expect(client.state).toBe("running");
    await client.close();
  });
});

describe("a command behind the negotiation", () => {
  const greet = async (peer: Peer, client: QmpClient, capabilities: readonly string[] = []) => {
    peer.send({ QMP: { version: { qemu: { major: 10, minor: 0, micro: 2 } }, capabilities } });
    await client.greeting;
  };

  test("is sent without waiting for the answer to it", async () => {
    const peer = new Peer();
    const client = new QmpClient(peer.transport);
    await greet(peer, client);
    const stopped = client.execute("stop");
    const [negotiation, stop] = [await peer.take(), await peer.take()];
    expect([negotiation, stop]).toMatchObject([{ execute: "qmp_capabilities" }, { execute: "stop" }]);
    peer.send({ return: {}, id: negotiation.id });
    peer.send({ return: {}, id: stop.id });
    expect(await stopped).toEqual({});
    await client.close();
  });

  test("fails with the negotiation", async () => {
    const peer = new Peer();
    const client = new QmpClient(peer.transport);
    await greet(peer, client);
    const failed = failureOf(client.execute("stop"));
    const { id } = await peer.take();
    peer.send({ error: { class: "GenericError", desc: "no" }, id });
    expect(await failed).toBeInstanceOf(QmpDisconnectedError);
    await expect(client.ready).rejects.toThrow("the QMP negotiation was refused: no");
  });

  test("is not one out of band", async () => {
    const peer = new Peer();
    const client = new QmpClient(peer.transport, { capabilities: ["oob"] });
    await greet(peer, client, ["oob"]);
    expect(await failureOf(client.executeOob("query-yank"))).toMatchObject({
      state: "negotiating",
      message: expect.stringContaining("await `ready` first"),
    });
    await client.close();
  });
});

test("commands that are sent without a pause cross in one piece", async () => {
  const { client, peer } = await connected();
  const pieces: string[] = [];
  const write = peer.transport.write.bind(peer.transport);
  peer.transport.write = ((piece: string) => pieces.push(piece) > 0 && write(piece)) as typeof write;
  const answers = [client.execute("stop"), client.execute("cont")];
  const [stop, cont] = [await peer.take(), await peer.take()];
  expect(pieces.join("").split("\n").filter(Boolean)).toHaveLength(2);
  expect(pieces).toHaveLength(1);
  for (const { id } of [stop, cont]) peer.send({ return: {}, id });
  await Promise.all(answers);
  await client.close();
});

describe("out of band", () => {
  test("goes as exec-oob once the capability is on", async () => {
    const { peer, client } = await connected({ capabilities: ["oob"] });
    const answer = client.executeOob("migrate-pause");
    const request = await peer.take();
    expect(request).toEqual({ "exec-oob": "migrate-pause", id: 2 });
    peer.send({ return: {}, id: request.id });
    expect(await answer).toEqual({});
  });

  test("is refused without it", async () => {
    const { client } = await connected();
    const error = await failureOf(client.executeOob("migrate-pause"));
    expect(error).toBeInstanceOf(QmpStateError);
    expect(error).toMatchObject({ message: expect.stringContaining('the capability "oob"') });
  });
});
