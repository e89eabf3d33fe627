import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { realSystem } from "../../dist/lib/index.js";
import { connectQmp } from "../../dist/lib/qmp/index.js";
import { compare, time } from "./statistics.mjs";

const vcpus = 88;

/** 88 threads pinned and read back, against one bare `taskset` for one of them. */
export async function benchPinning(runs, qemu) {
  const machine = ["-machine", "q35,accel=tcg", "-m", "64", "-smp", String(vcpus), "-S"];
  const words = ["-nodefaults", "-display", "none", "-chardev", "socket,id=m,fd=3", "-mon", "m,mode=control"];
  const child = spawn(qemu, [...machine, ...words], { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const qmp = await connectQmp(child.stdio[3]);
  const threads = (await qmp.execute("query-cpus-fast")).map((cpu) => cpu["thread-id"]);
  const ours = [];
  const floor = [];
  for (let run = -1; run < runs; run++) {
    const cpu = Math.abs(run % 2);
    const bare = await time(() =>
      execFileSync("taskset", ["--pid", "--cpu-list", String(cpu), String(threads[0])], { stdio: "ignore" }),
    );
    const spent = await time(() => pinAndReadBack(child.pid, threads, cpu));
    if (run < 0) continue;
    ours.push(spent);
    floor.push(bare);
  }
  await qmp.execute("quit");
  await ended;
  return compare(`${vcpus} threads pinned and read back`, "one bare taskset", ours, floor);
}

async function pinAndReadBack(pid, threads, cpu) {
  const failures = await realSystem.affinity.set(threads.map((threadId) => ({ threadId, cpus: [cpu] })));
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  for (const thread of threads) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    if (!status.includes(`\nCpus_allowed_list:\t${cpu}\n`)) throw new Error(`thread ${thread} is elsewhere`);
  }
}
