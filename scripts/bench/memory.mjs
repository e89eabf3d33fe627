import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { addMemoryDevice, realSystem, startProfile, stopVm } from "../../dist/lib/index.js";
import { connectQmp } from "../../dist/lib/qmp/index.js";
import { stateFolder } from "./state-folder.mjs";
import { compare, time } from "./statistics.mjs";

const program = new URL("../../bin/qlaunch.mjs", import.meta.url).pathname;
const name = "bench-memory";
const sizeBytes = 128 * 2 ** 20;
const slots = 250;

/** A DIMM from the request to its bound backend, read back, against the bare commands on the same QEMU. */
export async function benchMemory(runs, qemu) {
  const root = stateFolder("qlaunch-bench-");
  const environment = { ...process.env, QLAUNCH_RUN_DIR: root, QLAUNCH_QEMU: qemu };
  const system = { ...realSystem, user: { ...realSystem.user, environment } };
  const emit = () => {};
  const profileFile = join(root, ".profile.json");
  writeFileSync(profileFile, JSON.stringify(profile));
  const [library, command, floor] = [[], [], []];
  try {
    const signal = new AbortController().signal;
    await startProfile(system, { profileFile, qemu, paused: true, emit, signal, version: "bench" });
    for (let run = -1; run < runs; run++) {
      const a = await time(() => addMemoryDevice(system, name, request, { emit }));
      const b = await time(() =>
        execFileSync(process.execPath, [program, "memory", "add", name, "--size", "128M"], {
          env: environment,
          stdio: "ignore",
        }),
      );
      const c = await bare(root, run + 1);
      if (run < 0) continue;
      library.push(a);
      command.push(b);
      floor.push(c);
    }
  } finally {
    await stopVm(system, name, { force: true }).catch(() => {});
    rmSync(root, { recursive: true, force: true });
  }
  const against = "bare object-add + device_add";
  return [
    compare("memory add, bound, read back (library)", against, library, floor),
    compare("memory add, bound, read back (command)", against, command, floor),
  ];
}

/** Milliseconds in which QEMU, asked by a client that is connected, has one more. */
async function bare(root, number) {
  const qmp = await connectQmp(connect(join(root, name, "qemu/qmp.sock")));
  const memdev = `bare${number}`;
  const spent = await time(async () => {
    const backend = { "qom-type": "memory-backend-ram", id: memdev, size: sizeBytes };
    await qmp.execute("object-add", { ...backend, "host-nodes": [0], policy: "bind" });
    await qmp.execute("device_add", { driver: "pc-dimm", id: `d-${memdev}`, memdev, node: 0 });
  });
  await qmp.close();
  return spent;
}

const request = {
  size: "128M",
  kind: "dimm",
  pmem: false,
  unarmed: false,
};

const profile = {
  version: 1,
  name,
  machine: { accel: "tcg" },
  cpus: { boot: 1 },
  memory: { size: "128M", max: "64G", slots },
  numa: { cells: [{ cpus: "0", memory: "128M", hostNodes: "0" }] },
  pinning: { vcpus: "none" },
};
