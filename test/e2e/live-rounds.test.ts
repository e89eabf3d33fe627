import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cli, openCli } from "../rig/cli.ts";
import { canRemoveVcpus, changedProfile, type LiveGuest, liveGuest } from "../rig/live.ts";
import { liveDevices } from "../rig/live-devices.ts";
import { bootProbe } from "../rig/probe.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

const profile = new URL("profiles/live-vcpus.json", import.meta.url).pathname;
const name = "rounds";

/** Twenty when asked for; memory and devices have twenty of their own in live-devices.test.ts. */
const rounds = Number(process.env.QLAUNCH_TEST_ROUNDS ?? 2);
/** QEMU without KVM makes as many vCPUs in its life as cpus.max, and a round makes twenty. */
const cpusMax = 240;
const roundsOfGuest = Math.floor((cpusMax - 4) / 20);
const guests = Array.from({ length: Math.ceil(rounds / roundsOfGuest) }, (_, index) =>
  Math.min(roundsOfGuest, rounds - index * roundsOfGuest),
);

// QEMU 7.2 without KVM crashes when a vCPU has left; with KVM it has the same rounds in the simulated host.
const removable = await Promise.all(
  qemuPrograms.map(async (qemu) => ((await canRemoveVcpus(qemu)) ? [qemu] : [])),
);
const perCell = cpusMax / 4;
const cellsOf = (inCell: number) =>
  [0, 1, 2, 3].flatMap((cell) => Array.from({ length: inCell }, (_, index) => cell * perCell + index));

describe.each(removable.flat())("4 to 16, 8 and 16 vCPUs on %s", (qemu) => {
  let cli: Cli;
  let guest: LiveGuest;
  beforeAll(() => {
    cli = openCli(qemu);
    guest = liveGuest(cli, name);
  });
  afterAll(() => cli.close());

  const threads = () => {
    const pid = readFileSync(join(cli.root, name, "qemu/qemu.pid"), "utf8").trim();
    const named = readdirSync(`/proc/${pid}/task`).map((id) =>
      readFileSync(`/proc/${pid}/task/${id}/comm`, "utf8"),
    );
    return named.filter((thread) => thread.startsWith("CPU ")).length;
  };

  const goTo = async (vcpus: readonly number[], nodes: readonly string[]) => {
    await cli.ok("setvcpus", name, String(vcpus.length));
    await guest.online();
    expect((await guest.threads()).map(({ vcpu }) => vcpu).sort((a, b) => a - b)).toEqual(vcpus);
    expect(await guest.nodes()).toEqual(nodes);
    expect(await guest.count()).toBe(vcpus.length);
  };

  it.each(guests)("%i rounds leave nothing behind", { timeout: 900_000 }, async (many) => {
    const file = changedProfile(cli, profile, {
      name,
      cpus: { boot: 4, max: cpusMax, topology: { sockets: 4, cores: perCell / 2, threads: 2 } },
      numa: {
        cells: [0, 1, 2, 3].map((cell) => ({
          cpus: `${cell * perCell}-${(cell + 1) * perCell - 1}`,
          memory: "128M",
        })),
      },
      pinning: { vcpus: "none" },
      guestAgent: false,
    });
    await bootProbe(cli, file, name);
    const four = [0, 1, perCell, perCell + 1];
    let first: object | undefined;
    for (let round = 1; round <= many; round++) {
      if (round > 1) await goTo(four, ["0-1", "2-3", "", ""]);
      await goTo(cellsOf(4), ["0-1,4-5", "2-3,6-7", "8-11", "12-15"]);
      await goTo(cellsOf(2), ["0-1", "2-3", "8-9", "12-13"]);
      await goTo(cellsOf(4), ["0-1,4-5", "2-3,6-7", "8-11", "12-15"]);
      const now = { ...(await liveDevices(cli, name).census()), threads: threads() };
      first ??= now;
      expect(now).toEqual(first);
    }
    expect(new Set((await guest.operations()).map(({ state }) => state))).toEqual(new Set(["done"]));
    await cli.ok("down", name, "--force");
  });
});
