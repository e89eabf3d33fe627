import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { expect, it, onTestFinished } from "vitest";
import { connectAgent } from "../../src/hotplug/agent.ts";
import { realSystem } from "../../src/system/index.ts";
import { parseIdSet } from "../../src/units/index.ts";

const program =
  process.env.QLAUNCH_GUEST_AGENT ?? join(homedir(), ".cache/qlaunch/guest-agent/usr/sbin/qemu-ga");

/** A real agent that serves a socket on this machine, and is only asked to look. */
async function startAgent(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "qlaunch-agent-"));
  const socket = join(folder, "agent.sock");
  const agent = execa(program, ["--method", "unix-listen", "--path", socket, "--statedir", folder], {
    reject: false,
  });
  onTestFinished(async () => {
    agent.kill();
    await agent;
    rmSync(folder, { recursive: true });
  });
  // The file is there a moment before anybody listens.
  while (!(await listens(socket))) {
    const ended = await Promise.race([agent, sleep(20)]);
    if (ended !== undefined) throw new Error(`qemu-ga ended: ${ended.stderr}`);
  }
  return socket;
}

async function listens(socket: string): Promise<boolean> {
  try {
    (await realSystem.sockets.connect(socket)).destroy();
    return true;
  } catch {
    return false;
  }
}

it("asks a real agent", async () => {
  const agent = await connectAgent(realSystem, await startAgent());
  expect(await agent.execute("guest-ping")).toEqual({});
  const vcpus = await agent.execute("guest-get-vcpus");
  const present = parseIdSet(readFileSync("/sys/devices/system/cpu/present", "utf8")) ?? [];
  expect(vcpus.map((vcpu) => vcpu["logical-id"]).sort((a, b) => a - b)).toEqual(present);
  await expect(
    agent.execute("guest-set-vcpus", { vcpus: [{ "logical-id": 99_999, online: true }] }),
  ).rejects.toThrow(/guest-set-vcpus: /);
  agent.close();
});

it("comes after a client that left in the middle of a request", async () => {
  const socket = await startAgent();
  const rude = await realSystem.sockets.connect(socket);
  rude.write('{"execute": "guest-ping", "argu');
  rude.destroy();
  const agent = await connectAgent(realSystem, socket);
  expect(await agent.execute("guest-ping")).toEqual({});
  agent.close();
});
