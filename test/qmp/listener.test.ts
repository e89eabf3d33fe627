import { describe, expect, test } from "vitest";
import { connectQmp, QmpDisconnectedError, QmpStateError, QmpTimeoutError } from "../../src/qmp/index.ts";
import { listenerLimit } from "../../src/qmp/listener.ts";
import { Peer, settle } from "./peer.ts";

async function connected() {
  const peer = new Peer();
  const logged: string[] = [];
  const connecting = connectQmp(peer.transport, { log: (message) => logged.push(message) });
  await peer.negotiate();
  return { peer, logged, client: await connecting };
}

const deleted = (device: string) => ({
  event: "DEVICE_DELETED",
  data: { device, path: `/machine/peripheral/${device}` },
  timestamp: { seconds: 1_700_000_000, microseconds: 5 },
});

describe("a listener", () => {
  test("opened before the command has the event that comes before the answer", async () => {
    const { peer, client } = await connected();
    const listener = client.listen(["DEVICE_DELETED"], (event) => event.data.device === "nic1");
    const answer = client.execute("device_del", { id: "nic1" });
    const { id } = await peer.take();
    peer.send(deleted("nic0"), deleted("nic1"), { return: {}, id });
    await answer;
    expect(await listener.next({ timeoutMs: 1000 })).toEqual(deleted("nic1"));
    listener.close();
  });

  test("has nothing from before it was opened", async () => {
    const { peer, client } = await connected();
    peer.send(deleted("old"));
    await settle();
    const listener = client.listen(["DEVICE_DELETED"]);
    peer.send(deleted("new"));
    expect(await listener.next()).toMatchObject({ data: { device: "new" } });
  });

  test("without names gets everything, known or not, beside the others", async () => {
    const { peer, client } = await connected();
    const stops = client.listen(["STOP"]);
    const all = client.listen();
    peer.send({ event: "STOP" }, { event: "NEW_IN_QEMU_12", data: { a: 1 } }, { event: "POWERDOWN" });
    expect([await all.next(), await all.next(), await all.next()]).toEqual([
      { event: "STOP", data: {}, timestamp: { seconds: -1, microseconds: -1 } },
      { event: "NEW_IN_QEMU_12", data: { a: 1 }, timestamp: { seconds: -1, microseconds: -1 } },
      { event: "POWERDOWN", data: {}, timestamp: { seconds: -1, microseconds: -1 } },
    ]);
    expect(await stops.next()).toMatchObject({ event: "STOP" });
    await expect(stops.next({ timeoutMs: 5 })).rejects.toThrow(QmpTimeoutError);
  });

  test("may listen for a name that the types do not know", async () => {
    const { peer, client } = await connected();
    const listener = client.listen(["NEW_IN_QEMU_12"]);
    peer.send({ event: "STOP" }, { event: "NEW_IN_QEMU_12" });
    expect(await listener.next()).toMatchObject({ event: "NEW_IN_QEMU_12" });
  });

  test("serves several readers in the order in which they came", async () => {
    const { peer, client } = await connected();
    const listener = client.listen(["DEVICE_DELETED"]);
    const readers = [listener.next(), listener.next()];
    peer.send(deleted("a"), deleted("b"));
    const devices = (await Promise.all(readers)).map((event) => event.data.device);
    expect(devices).toEqual(["a", "b"]);
  });

  test("a wait that timed out does not swallow the next event", async () => {
    const { peer, client } = await connected();
    const listener = client.listen(["STOP"]);
    await expect(listener.next({ timeoutMs: 5 })).rejects.toThrow("no STOP event within 5 ms");
    peer.send({ event: "STOP" });
    expect(await listener.next()).toMatchObject({ event: "STOP" });
  });

  test("a wait ends with its signal's reason", async () => {
    const { client } = await connected();
    const listener = client.listen(["STOP"]);
    const controller = new AbortController();
    const waiting = listener.next({ signal: controller.signal });
    controller.abort(new Error("given up"));
    await expect(waiting).rejects.toThrow("given up");
    await expect(listener.next({ signal: controller.signal })).rejects.toThrow("given up");
  });

  test("fails when its filter does, and nothing else fails", async () => {
    const { peer, client } = await connected();
    const broken = client.listen(["STOP"], () => {
      throw new Error("a mistake in the filter");
    });
    const sound = client.listen(["STOP"]);
    peer.send({ event: "STOP" });
    await expect(broken.next()).rejects.toThrow("a mistake in the filter");
    expect(await sound.next()).toMatchObject({ event: "STOP" });
    expect(client.state).toBe("running");
  });

  test("that nobody reads keeps the newest, counts the rest and says so once", async () => {
    const { peer, client, logged } = await connected();
    const listener = client.listen(["DEVICE_DELETED"]);
    for (let index = 0; index < listenerLimit + 3; index += 1) peer.send(deleted(`d${index}`));
    await settle();
    expect(listener.dropped).toBe(3);
    expect(logged).toEqual(["a listener for a DEVICE_DELETED event is full: nobody reads it"]);
    expect(await listener.next()).toMatchObject({ data: { device: "d3" } });
  });
});

describe("the end of listening", () => {
  test("on a disconnect what came before can still be read", async () => {
    const { peer, client } = await connected();
    const listener = client.listen(["SHUTDOWN"]);
    peer.send({ event: "SHUTDOWN", data: { guest: true, reason: "guest-shutdown" } });
    peer.end();
    await client.closed;
    expect(await listener.next()).toMatchObject({ data: { reason: "guest-shutdown" } });
    await expect(listener.next()).rejects.toThrow(QmpDisconnectedError);
  });

  test("close() fails who waits, forgets what is queued, and can be repeated", async () => {
    const { peer, client } = await connected();
    const listener = client.listen(["STOP"]);
    const waiting = listener.next();
    listener.close();
    listener.close();
    await expect(waiting).rejects.toThrow(QmpStateError);
    const other = client.listen(["STOP"]);
    peer.send({ event: "STOP" });
    await settle();
    other.close();
    await expect(other.next()).rejects.toThrow("the listener for a STOP event is closed");
  });
});

describe("a loop over a listener", () => {
  test("gives each event and closes the listener when it is left", async () => {
    const { peer, client } = await connected();
    const listener = client.listen(["DEVICE_DELETED"]);
    peer.send(deleted("a"), deleted("b"), deleted("c"));
    const devices: unknown[] = [];
    for await (const event of listener) {
      devices.push(event.data.device);
      if (devices.length === 2) break;
    }
    expect(devices).toEqual(["a", "b"]);
    await expect(listener.next()).rejects.toThrow(QmpStateError);
  });

  test("ends when the listener is closed", async () => {
    const { client } = await connected();
    const listener = client.listen();
    setImmediate(() => listener.close());
    for await (const event of listener) throw new Error(`unexpected ${event.event}`);
  });

  test("throws when the connection ends, after the last event", async () => {
    const { peer, client } = await connected();
    const listener = client.listen();
    peer.send({ event: "SHUTDOWN", data: { guest: false, reason: "host-qmp-quit" } });
    peer.end();
    const seen: string[] = [];
    const loop = (async () => {
      for await (const event of listener) seen.push(event.event);
    })();
    await expect(loop).rejects.toThrow(QmpDisconnectedError);
    expect(seen).toEqual(["SHUTDOWN"]);
  });
});
