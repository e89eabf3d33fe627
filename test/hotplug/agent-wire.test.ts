import { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { AgentRefusal, AgentWire, syncByte } from "../../src/hotplug/agent-wire.ts";

/** The agent's side, played by a test: it says what a real agent only says on a bad day. */
class Side {
  readonly written: Buffer[] = [];
  readonly stream: Duplex;
  onRequest: (line: string) => void = () => {};

  constructor() {
    this.stream = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        this.written.push(chunk);
        this.onRequest(chunk.toString("latin1"));
        done();
      },
    });
  }

  say(...parts: (string | number)[]): void {
    for (const part of parts) this.stream.push(typeof part === "string" ? part : Buffer.of(part));
  }
}

const idOf = (line: string): number => Number(/"id":(\d+)/.exec(line)?.[1]);

it("drops what an earlier client left, at any cut", async () => {
  const side = new Side();
  const wire = new AgentWire(side.stream);
  side.onRequest = (line) => {
    expect(line.charCodeAt(0)).toBe(syncByte);
    side.say('{"return": {"half": ', '"an answer"}}\n', syncByte, '{"return": 1}\n', syncByte, '{"ret');
    side.say(`urn": ${idOf(line)}}`, "\n");
  };
  await wire.synchronize(1000);
  side.onRequest = () => side.say('{"ret', 'urn": [', "1, 2]}\n");
  expect(await wire.execute("guest-get-vcpus", undefined, 1000)).toEqual([1, 2]);
});

it("sends arguments as they are", async () => {
  const side = new Side();
  const wire = new AgentWire(side.stream);
  side.onRequest = () => side.say('{"return": 1}\n');
  const vcpus = [{ "logical-id": 3, online: true }];
  expect(await wire.execute("guest-set-vcpus", { vcpus }, 1000)).toBe(1);
  expect(JSON.parse(String(side.written[0]))).toEqual({ execute: "guest-set-vcpus", arguments: { vcpus } });
});

it("tells an agent that refuses from one that is gone", async () => {
  const side = new Side();
  const wire = new AgentWire(side.stream);
  side.onRequest = () => side.say('{"error": {"class": "GenericError", "desc": "not allowed"}}\n');
  await expect(wire.execute("guest-ping", undefined, 1000)).rejects.toThrow(AgentRefusal);
  side.onRequest = () => side.stream.destroy();
  await expect(wire.execute("guest-ping", undefined, 1000)).rejects.toThrow("the agent's socket is closed");
});

it("waits no longer than it was told, and is closed after: a late answer would be the next one's", async () => {
  const side = new Side();
  const wire = new AgentWire(side.stream);
  await expect(wire.synchronize(20)).rejects.toThrow("no answer to guest-sync-delimited within 20 ms");
  await expect(wire.execute("guest-ping", undefined, 1000)).rejects.toThrow("within 20 ms");
  expect(side.stream.destroyed).toBe(true);
});
