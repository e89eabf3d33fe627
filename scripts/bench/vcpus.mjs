import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { changeVcpus, realSystem, startProfile, stopVm } from "../../dist/lib/index.js";
import { connectQmp } from "../../dist/lib/qmp/index.js";
import { stateFolder } from "./state-folder.mjs";
import { compare, time } from "./statistics.mjs";

const program = new URL("../../bin/qlaunch.mjs", import.meta.url).pathname;
const name = "bench-vcpus";
/** Sockets of 16 vCPUs, each pinned to a host CPU; QEMU without KVM makes as many in its life as this. */
const most = 128;

/** A vCPU from the request to its pinned thread against QEMU's own part of it; and many against few. */
export async function benchVcpus(runs, qemu) {
  const root = stateFolder("qlaunch-bench-");
  const guest = makeGuest(root, qemu);
  try {
    return [...(await benchOne(runs, guest)), ...(await benchMany(runs, guest))];
  } finally {
    await guest.stop().catch(() => {});
    rmSync(root, { recursive: true, force: true });
  }
}

/** Ours, the command line and the bare commands add one in turn, so that all meet a guest of the same size. */
async function benchOne(runs, guest) {
  const [library, command, floor] = [[], [], []];
  await guest.start();
  let count = 1;
  for (let run = -1; run < runs; run++) {
    const a = await time(() => guest.setVcpus(++count));
    const b = await time(() => guest.run("setvcpus", name, String(++count)));
    const c = await guest.bare(count, 1);
    count++;
    if (run < 0) continue;
    library.push(a);
    command.push(b);
    floor.push(c);
  }
  await guest.stop();
  const bare = "bare device_add + query-cpus-fast";
  return [
    compare("setvcpus +1, pinned, read back (library)", bare, library, floor),
    compare("setvcpus +1, pinned, read back (command)", bare, command, floor),
  ];
}

/** 63 against 63 bare ones, and the cost of each of 63 against that of each of 7. */
async function benchMany(runs, guest) {
  const [many, few, floor] = [[], [], []];
  for (let run = -1; run < runs; run++) {
    const spent = [];
    for (const count of [8, 64]) {
      await guest.start();
      spent.push(await time(() => guest.setVcpus(count)));
      await guest.stop();
    }
    await guest.start();
    const bare = await guest.bare(1, 63);
    await guest.stop();
    if (run < 0) continue;
    few.push(spent[0] / 7);
    many.push(spent[1] / 63);
    floor.push(bare / 63);
  }
  return [
    compare("setvcpus 1 to 64, each", "bare device_add + query-cpus-fast", many, floor),
    compare("setvcpus 1 to 64, each", "setvcpus 1 to 8, each", many, few),
  ];
}

function makeGuest(root, qemu) {
  const environment = { ...process.env, QLAUNCH_RUN_DIR: root, QLAUNCH_QEMU: qemu };
  const system = { ...realSystem, user: { ...realSystem.user, environment } };
  const emit = () => {};
  const profileFile = join(root, ".profile.json");
  writeFileSync(profileFile, JSON.stringify(profile));
  return {
    start: () =>
      startProfile(system, {
        profileFile,
        qemu,
        paused: true,
        emit,
        signal: new AbortController().signal,
        version: "bench",
      }),
    stop: () => stopVm(system, name, { force: true }),
    setVcpus: (count) =>
      changeVcpus(system, name, { count: String(count), vcpus: undefined, spread: "tail" }, { emit }),
    run: (...words) =>
      execFileSync(process.execPath, [program, ...words, "--spread", "tail"], {
        env: environment,
        stdio: "ignore",
      }),
    /** Milliseconds in which QEMU, asked by a client that is connected, has so many more and lists them. */
    async bare(from, count) {
      const qmp = await connectQmp(connect(join(root, name, "qemu/qmp.sock")));
      const spent = await time(async () => {
        for (let id = from; id < from + count; id++) {
          const place = { "socket-id": id >> 4, "die-id": 0, "core-id": id & 15, "thread-id": 0 };
          await qmp.execute("device_add", { driver: "max-x86_64-cpu", id: `cpu${id}`, ...place });
          await qmp.execute("query-cpus-fast");
        }
      });
      await qmp.close();
      return spent;
    },
  };
}

const profile = {
  version: 1,
  name,
  machine: { accel: "tcg" },
  cpus: { boot: 1, max: most, model: "max", topology: { sockets: most / 16, cores: 16, threads: 1 } },
  memory: { size: "64M" },
  pinning: { vcpus: { [`0-${most - 1}`]: "0" }, overcommit: true },
};
