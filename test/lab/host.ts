import { execFile } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { connectQmp, type QmpClient } from "../../src/qmp/index.ts";
import type { ProbeReport } from "../rig/probe.ts";

export const execute = promisify(execFile);

/** Minutes, not seconds: everything is emulated, and the guest's guest twice. */
const timeout = 240_000;
const maxBuffer = 64 << 20;

/** The checkout; scripts/lab starts its command in the folder that it was started in. */
export const program = `${process.cwd()}/bin/qlaunch.mjs`;

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program, as a user does. */
export async function qlaunch(...words: readonly string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await execute(program, words, { timeout, maxBuffer });
    return { exitCode: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== "number") throw error;
    return { exitCode: code, stdout, stderr };
  }
}

/** Runs it, and fails unless it ends well. */
export async function qlaunchOk(...words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await qlaunch(...words);
  if (exitCode !== 0)
    throw new Error(`qlaunch ${words.join(" ")} ended with ${exitCode}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** What it prints with --json: the last line, after those of the progress. */
export async function qlaunchJson<T>(...words: readonly string[]): Promise<T> {
  const lines = (await qlaunchOk(...words, "--json")).trimEnd();
  // Plain values are printed over several lines, results after progress on one.
  return JSON.parse(lines.startsWith('{"type"') ? (lines.split("\n").at(-1) ?? "") : lines) as T;
}

/** Asks the probe guest of a VM; waits until it has booted. In this process: a program more takes seconds here. */
export async function askGuest<T = ProbeReport>(name: string, request = "report"): Promise<T> {
  const socket = connect(`/run/qlaunch/${name}/qemu/channel0.sock`);
  const timer = setTimeout(() => socket.destroy(new Error(`no answer to "${request}"`)), timeout);
  try {
    socket.write(`${request}\n`);
    const [answer] = await once(createInterface({ input: socket }), "line", { signal: endOf(socket) });
    return JSON.parse(answer) as T;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Aborts when a socket ends, with what went wrong. */
function endOf(socket: Socket): AbortSignal {
  const end = new AbortController();
  socket.once("error", (error) => end.abort(error));
  socket.once("close", () => end.abort(new Error("the guest's channel was closed")));
  return end.signal;
}

/** Asks QEMU itself, on the monitor for people. */
export async function withQmp<T>(name: string, ask: (qmp: QmpClient) => Promise<T>): Promise<T> {
  const qmp = await connectQmp(connect(`/run/qlaunch/${name}/qemu/monitor.sock`), { timeoutMs: timeout });
  try {
    return await ask(qmp);
  } finally {
    await qmp.close();
  }
}

/** Loads modules of the simulated host's kernel. */
export async function modprobe(...modules: readonly string[]): Promise<void> {
  await execute("modprobe", ["--all", ...modules], { timeout });
}

/** QEMU's process, as it wrote it itself. */
export const pidOf = (name: string) => Number(readFileSync(`/run/qlaunch/${name}/qemu/qemu.pid`, "utf8"));

export interface Thread {
  readonly name: string;
  readonly allowedCpus: string;
}

/** A process's threads by id, from the kernel itself. */
export function threadsOf(pid: number): Map<number, Thread> {
  return new Map(
    readdirSync(`/proc/${pid}/task`).map((id) => {
      const status = readFileSync(`/proc/${pid}/task/${id}/status`, "utf8");
      const field = (key: string) => new RegExp(`^${key}:\t(.*)$`, "m").exec(status)?.[1] ?? "";
      return [Number(id), { name: field("Name"), allowedCpus: field("Cpus_allowed_list") }];
    }),
  );
}

/** The host CPUs of each KVM vCPU thread, in the order of the vCPUs: ["0 on 0", "1 on 2-3"]. */
export function kvmThreads(pid: number): string[] {
  return [...threadsOf(pid).values()]
    .flatMap(({ name, allowedCpus }) => {
      const vcpu = /^CPU (\d+)\/KVM$/.exec(name)?.[1];
      return vcpu === undefined ? [] : [{ vcpu: Number(vcpu), allowedCpus }];
    })
    .sort((one, other) => one.vcpu - other.vcpu)
    .map(({ vcpu, allowedCpus }) => `${vcpu} on ${allowedCpus}`);
}

export interface BoundMemory {
  /** As the kernel spells it: "bind:1". */
  readonly policy: string;
  /** Bytes in memory now, by node. */
  readonly bytes: Readonly<Record<string, number>>;
}

/** The mappings of a process that have a policy of their own. */
export function boundMemory(pid: number): BoundMemory[] {
  return readFileSync(`/proc/${pid}/numa_maps`, "utf8")
    .split("\n")
    .filter((line) => / (bind|prefer|interleave)/.test(line))
    .map((line) => {
      const pageBytes = Number(/ kernelpagesize_kB=(\d+)/.exec(line)?.[1] ?? 4) * 1024;
      const counts = [...line.matchAll(/ (N\d+)=(\d+)/g)];
      return {
        policy: line.split(" ")[1] ?? "",
        bytes: Object.fromEntries(counts.map(([, node, pages]) => [node, Number(pages) * pageBytes])),
      };
    });
}

const pool = (node: number) => `/sys/devices/system/node/node${node}/hugepages/hugepages-2048kB`;

/** Reserves 2 MiB pages on a node, and says how many it got. */
export function reserveHugepages(node: number, count: number): number {
  writeFileSync(`${pool(node)}/nr_hugepages`, String(count));
  return Number(readFileSync(`${pool(node)}/nr_hugepages`, "utf8"));
}

export const freeHugepages = (node: number) => Number(readFileSync(`${pool(node)}/free_hugepages`, "utf8"));
