import { expect, it } from "vitest";
import { askAhead, withRecentAnswers } from "../../src/hotplug/recent-answers.ts";
import { QmpClient, QmpCommandError } from "../../src/qmp/index.ts";
import { Peer } from "../qmp/peer.ts";

/** A monitor whose questions are counted; `nowMs` is its clock. */
async function open() {
  const peer = new Peer();
  const client = new QmpClient(peer.transport);
  await peer.negotiate();
  await client.ready;
  const time = { nowMs: 0 };
  const qmp = withRecentAnswers(client, () => time.nowMs);
  const list = () => qmp.execute("qom-list", { path: "/objects" });
  /** Answers one question, which must have come. */
  const answer = async (name: string) => {
    const { id, execute } = await peer.take();
    expect(execute).toBe("qom-list");
    peer.send({ return: [{ name, type: "child<iothread>" }], id });
  };
  return { peer, qmp, list, answer, time };
}

it("asks once what several want to know", async () => {
  const { peer, list, answer, time } = await open();
  const [one, other] = [list(), list()];
  await answer("io0");
  expect(await one).toEqual(await other);
  time.nowMs = 49;
  expect(await list()).toMatchObject([{ name: "io0" }]);
  expect(peer.requests).toEqual([]);
});

it("asks again when time has passed, with other arguments, and after a command", async () => {
  const { peer, qmp, list, answer, time } = await open();
  const known = list();
  await answer("io0");
  await known;
  time.nowMs = 50;
  const later = list();
  await answer("io1");
  expect(await later).toMatchObject([{ name: "io1" }]);

  const elsewhere = qmp.execute("qom-list", { path: "/machine" });
  await answer("board");
  expect(await elsewhere).toMatchObject([{ name: "board" }]);

  const removed = qmp.execute("object-del", { id: "io1" });
  // What is asked behind a command is answered after it.
  const behind = list();
  peer.send({ return: {}, id: (await peer.take()).id });
  await removed;
  await answer("io2");
  expect(await behind).toMatchObject([{ name: "io2" }]);
  expect(await list()).toMatchObject([{ name: "io2" }]);
  expect(peer.requests).toEqual([]);
});

it("asks again after an event: the guest has done something", async () => {
  const { peer, list, answer } = await open();
  const known = list();
  await answer("io0");
  await known;
  peer.send({ event: "DEVICE_DELETED", data: { path: "/x" }, timestamp: { seconds: 1, microseconds: 0 } });
  await new Promise((resolve) => setImmediate(resolve));
  const again = list();
  await answer("io1");
  expect(await again).toMatchObject([{ name: "io1" }]);
});

it("keeps no refusal, and one that nobody awaits harms nobody", async () => {
  const { peer, list, answer } = await open();
  askAhead([list()]);
  const refused = list();
  peer.send({ error: { class: "GenericError", desc: "no" }, id: (await peer.take()).id });
  await expect(refused).rejects.toThrow(QmpCommandError);
  const again = list();
  await answer("io0");
  expect(await again).toHaveLength(1);
});
