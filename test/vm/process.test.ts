import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { realSystem } from "../../src/system/index.ts";
import {
  endProcess,
  findByArguments,
  identify,
  isAlive,
  listThreads,
  parseStat,
  readStat,
  residentBytes,
} from "../../src/vm/process.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const fakeTree = (tree: Parameters<typeof fakeSystem>[0]) => fakeSystem(tree).files;

const rest =
  "1 1 0 -1 4194560 100 0 0 0 7 5 0 0 20 0 4 0 152501 3133440 384 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0";

describe("/proc/PID/stat", () => {
  it("is read by the manual page's numbers", () => {
    expect(parseStat(`42 (cat) S 1 ${rest}\n`)).toEqual({
      state: "S",
      startTimeTicks: 152501,
      cpuTimeTicks: 12,
      lastCpu: 3,
    });
  });

  it.each(["qemu-system x86", "a) Z 1", "(((", "CPU 0/KVM", ") ) R 7"])("takes '%s' for a name", (name) => {
    expect(parseStat(`42 (${name}) S 1 ${rest}\n`)).toMatchObject({ state: "S", startTimeTicks: 152501 });
  });

  it.each(["", "42", "42 (cat", "42 (cat) S 1"])("'%s' is no process", (text) => {
    expect(parseStat(text)).toBeUndefined();
  });
});

describe("a process", () => {
  const { files } = realSystem;

  it("is itself by pid and start time", () => {
    const self = identify(files, process.pid);
    expect(self?.startTimeTicks).toBe(readStat(files, process.pid)?.startTimeTicks);
    expect(self && isAlive(files, self)).toBe(true);
    expect(isAlive(files, { pid: process.pid, startTimeTicks: 1 })).toBe(false);
    expect(listThreads(files, process.pid)[0]).toBe(process.pid);
    expect(residentBytes(files, process.pid)).toBeGreaterThan(1024 * 1024);
  });

  it("that ended and was not waited for is dead, unless a thread of it lives", () => {
    const zombie = (threads: string[]) =>
      fakeTree({
        "/proc/42/stat": `42 (qemu) Z 1 ${rest}`,
        ...Object.fromEntries(threads.map((thread) => [`/proc/42/task/${thread}/stat`, ""])),
      });
    const identity = { pid: 42, startTimeTicks: 152501 };
    expect(isAlive(zombie(["42"]), identity)).toBe(false);
    expect(isAlive(zombie(["42", "43"]), identity)).toBe(true);
    expect(isAlive(fakeTree({}), identity)).toBe(false);
  });

  it("counts huge pages as memory in use", () => {
    const files = fakeTree({ "/proc/42/status": "VmRSS:\t  100 kB\nHugetlbPages:\t  2048 kB\n" });
    expect(residentBytes(files, 42)).toBe(2148 * 1024);
    expect(residentBytes(files, 43)).toBeUndefined();
  });

  it("is found by a whole run of its arguments, not by a part of one", () => {
    const files = fakeTree({
      "/proc/41/cmdline": "qemu\0-pidfile\0/run/a/qemu.pid\0-S\0",
      "/proc/41/stat": `41 (qemu) S 1 ${rest}`,
      "/proc/42/cmdline": "tail\0-f\0/run/a/qemu.pid\0",
      "/proc/42/stat": `42 (tail) S 1 ${rest}`,
      "/proc/43/cmdline": "qemu\0-pidfile\0/run/a/qemu.pid2\0",
      "/proc/43/stat": `43 (qemu) S 1 ${rest}`,
      "/proc/self/cmdline": "qemu\0-pidfile\0/run/a/qemu.pid\0",
    });
    expect(findByArguments(files, ["-pidfile", "/run/a/qemu.pid"])).toEqual([
      { pid: 41, startTimeTicks: 152501 },
    ]);
  });

  it("is asked to end, and killed when it does not", async () => {
    const polite = spawn("sleep", ["100"]);
    const deaf = spawn("node", [
      "-e",
      "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')",
    ]);
    await once(deaf.stdout, "data");
    const ends = await Promise.all(
      [polite, deaf].map((child) =>
        endProcess(realSystem, identify(files, child.pid ?? 0) ?? { pid: 0, startTimeTicks: 0 }),
      ),
    );
    expect(ends).toEqual(["asked", "killed"]);
    expect(await endProcess(realSystem, { pid: deaf.pid ?? 0, startTimeTicks: 1 })).toBe("gone");
  });
});
