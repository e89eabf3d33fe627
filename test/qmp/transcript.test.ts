import { expect, test } from "vitest";
import { connectQmp, formatTranscriptEntry, type TranscriptEntry } from "../../src/qmp/index.ts";
import { greeting, Peer } from "./peer.ts";

test("every line is written down as it crossed the wire, in order and with its time", async () => {
  const entries: TranscriptEntry[] = [];
  const before = Date.now();
  const peer = new Peer();
  const connecting = connectQmp(peer.transport, { transcript: (entry) => entries.push(entry) });
  await peer.negotiate();
  const client = await connecting;
  const answer = client.execute("query-kvm");
  const { id } = await peer.take();
  peer.sendText(`{"event":  "STOP"}\r\n{"id": ${id}, "return": {"enabled": false, "present": true}}\r\n`);
  await answer;
  expect(entries.map(({ direction, text }) => [direction, text])).toEqual([
    ["received", JSON.stringify(greeting)],
    ["sent", '{"execute":"qmp_capabilities","id":1}'],
    ["received", '{"return":{},"id":1}'],
    ["sent", '{"execute":"query-kvm","id":2}'],
    ["received", '{"event":  "STOP"}'],
    ["received", '{"id": 2, "return": {"enabled": false, "present": true}}'],
  ]);
  for (const { timestampMs } of entries) {
    expect(timestampMs).toBeGreaterThanOrEqual(before);
    expect(timestampMs).toBeLessThanOrEqual(Date.now());
  }
});

test("a line that is not JSON is in it too", async () => {
  const texts: string[] = [];
  const peer = new Peer();
  const connecting = connectQmp(peer.transport, { transcript: ({ text }) => texts.push(text) });
  peer.sendText("oops\n");
  await expect(connecting).rejects.toThrow();
  expect(texts).toEqual(["oops"]);
});

test("a sink that throws ends the transcript, not the connection", async () => {
  const logged: string[] = [];
  let calls = 0;
  const peer = new Peer();
  const connecting = connectQmp(peer.transport, {
    log: (message) => logged.push(message),
    transcript: () => {
      calls += 1;
      throw new Error("no space left on device");
    },
  });
  await peer.negotiate();
  expect((await connecting).state).toBe("running");
  expect(calls).toBe(1);
  expect(logged).toEqual(["the QMP transcript stopped: no space left on device"]);
});

test("an entry reads as one line", () => {
  const entry = { timestampMs: Date.UTC(2026, 10, 20, 10), text: '{"execute":"stop","id":2}' };
  expect(formatTranscriptEntry({ ...entry, direction: "sent" })).toBe(
    '2026-11-20T10:00:00.000Z > {"execute":"stop","id":2}',
  );
  expect(formatTranscriptEntry({ ...entry, direction: "received" })).toMatch(/^\S+ < \{/);
});
