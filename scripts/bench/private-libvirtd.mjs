import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stateFolder } from "./state-folder.mjs";

/** Of an ordinary user: with root's rights it would take folders of the system. */
const nobody = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};

const search = "/usr/sbin:/usr/bin:/sbin:/bin";
const found = (name, folders = search) =>
  folders
    .split(":")
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

/** Which of libvirt's programs are not installed. */
export function missingPrograms() {
  return ["libvirtd", "virsh"].filter((name) => found(name) === undefined);
}

/**
 * A libvirtd of its own: its sockets, logs and domains are in a temporary folder, and no service of the system knows.
 * @see https://libvirt.org/daemons.html
 */
export async function startLibvirtd() {
  const folder = mkdtempSync(join(tmpdir(), "qlaunch-libvirtd-"));
  const home = stateFolder("qlaunch-libvirtd-");
  const own = (path) => nobody.uid === undefined || chownSync(path, nobody.uid, nobody.gid);
  for (const path of [folder, home]) own(path);
  const environment = { PATH: search, HOME: home, LC_ALL: "C" };
  for (const name of ["CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "RUNTIME_DIR"])
    environment[`XDG_${name}`] = home;
  const options = { ...nobody, cwd: folder, env: environment };
  const daemon = spawn(found("libvirtd"), ["--timeout", "600"], { ...options, stdio: "ignore" });
  const socket = join(home, "libvirt/libvirt-sock");
  for (let attempt = 0; attempt < 200 && !existsSync(socket); attempt++) await sleep(50);
  const virsh = found("virsh");
  const run = (...words) => {
    const uri = `qemu+unix:///session?socket=${socket}`;
    const result = spawnSync(virsh, ["-q", "-c", uri, ...words], { ...options, encoding: "utf8" });
    if (result.status !== 0) throw new Error(`virsh ${words[0]}: ${result.stderr}`);
    return result.stdout;
  };
  const group = () => [daemon.pid, ...childrenNamed("virtlogd", home)];
  return {
    folder,
    virsh: run,
    /** A file that the daemon and its guests can read. */
    share(from) {
      const to = join(folder, from.replaceAll("/", "_"));
      cpSync(from, to, { dereference: true });
      return to;
    },
    /** A QEMU that they can run: the one given or found by its name, or a copy of the folder of one in a private place. */
    shareQemu(nameOrPath) {
      const program = nameOrPath.includes("/") ? resolve(nameOrPath) : found(nameOrPath, process.env.PATH);
      if (program === undefined) throw new Error(`there is no ${nameOrPath} in PATH`);
      if (program.startsWith("/usr/")) return program;
      const from = dirname(dirname(program));
      const to = join(folder, "qemu");
      cpSync(from, to, { recursive: true });
      const copy = program.replace(from, to);
      writeFileSync(copy, readFileSync(program, "utf8").replaceAll(from, to));
      chmodSync(copy, 0o755);
      return copy;
    },
    /** A file with this text. */
    write(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    /** Memory that managing takes while guests run, in bytes, each page shared out among those who share it. */
    memoryBytes: () => group().reduce((sum, pid) => sum + proportionalBytes(pid), 0),
    async close() {
      const ended = new Promise((resolve) => daemon.once("exit", resolve));
      const others = group().slice(1);
      daemon.kill();
      await ended;
      for (const pid of others) process.kill(pid);
      for (const path of [folder, home]) rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Ids of the programs of this name that belong to the folder. */
function childrenNamed(name, folder) {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const isNamed = readFileSync(`/proc/${pid}/comm`, "utf8").trim() === name;
        return isNamed && readFileSync(`/proc/${pid}/environ`, "utf8").includes(folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** @see https://www.kernel.org/doc/html/latest/filesystems/proc.html (smaps_rollup) */
export function proportionalBytes(pid) {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1]) * 1024;
}
