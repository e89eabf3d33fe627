import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectQmp } from "../../dist/lib/qmp/index.js";
import { stateFolder } from "./state-folder.mjs";
import { compare, time } from "./statistics.mjs";

const file = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const program = file("dist/qlaunch");
const name = "bench-removal";
const stays = 16;
const leaves = 8;
/** Sockets of 16; QEMU without KVM makes as many in its life as all of them. */
const most = 256;
/** Each turn takes two times as many as leave; the first is not counted. */
const mostTurns = Math.floor((most - stays) / (2 * leaves)) - 1;
/** Between two looks at QEMU's list, by whoever waits for it to change. */
const lookMs = 20;

/**
 * Eight vCPUs that a booted guest gives up, until QEMU's list has lost them, by the command and by the bare monitor in turn.
 * @returns no rows, and why, for a QEMU whose guests cannot give any up without KVM
 */
export async function benchVcpuRemoval(runs, qemu) {
  const version = execFileSync(qemu, ["--version"], { encoding: "utf8" });
  if (Number(/version (\d+)/.exec(version)?.[1]) < 8) {
    process.stderr.write("not measured: QEMU before 8 loses vCPUs of booted guests under KVM alone\n");
    return [];
  }
  const root = stateFolder("qlaunch-bench-");
  const environment = { ...process.env, QLAUNCH_RUN_DIR: root, QLAUNCH_QEMU: qemu };
  const run = (...words) => execFileSync(program, words, { env: environment, stdio: "ignore" });
  const profile = join(root, ".profile.json");
  writeFileSync(profile, JSON.stringify(guest));
  const ask = (request) =>
    execFileSync(process.execPath, [
      file("scripts/probe-report.mjs"),
      join(root, name, "qemu/channel0.sock"),
      request,
    ]);
  const fill = () => {
    run("setvcpus", name, String(stays + leaves), "--spread", "tail");
    ask("online");
  };
  const [ours, floor] = [[], []];
  try {
    run("up", profile);
    ask("report");
    const ways = [
      [ours, () => run("setvcpus", name, String(stays), "--spread", "tail")],
      [floor, () => bareRemoval(join(root, name, "qemu/qmp.sock"))],
    ];
    // Forth and back: what the guest's kernel does longest after it has come up is not always one way's to wait for.
    for (let turn = -1; turn < Math.min(runs, mostTurns); turn++) {
      for (const [times, remove] of turn % 2 === 0 ? ways : ways.toReversed()) {
        fill();
        const spent = await time(remove);
        if (turn >= 0) times.push(spent);
      }
    }
  } finally {
    try {
      run("down", name, "--force");
    } catch {
      // It never came up.
    }
    rmSync(root, { recursive: true, force: true });
  }
  return [compare(`${leaves} vCPUs removed from a booted guest`, "bare device_del, until gone", ours, floor)];
}

async function bareRemoval(socket) {
  const qmp = await connectQmp(connect(socket));
  for (let id = stays; id < stays + leaves; id++) await qmp.execute("device_del", { id: `cpu${id}` });
  while ((await qmp.execute("query-cpus-fast")).length > stays) await sleep(lookMs);
  await qmp.close();
}

const guest = {
  version: 1,
  name,
  machine: { accel: "tcg" },
  cpus: { boot: stays, max: most, model: "max", topology: { sockets: most / 16, cores: 16, threads: 1 } },
  memory: { size: "512M" },
  pinning: { vcpus: "none" },
  consoles: [{ type: "serial" }, { type: "channel", name: "org.qlaunch.probe.0" }],
  kernel: {
    image: file("profiles/.probe/vmlinux"),
    initrd: file("profiles/.probe/initrd.img"),
    cmdline: "console=ttyS0 quiet",
  },
};
