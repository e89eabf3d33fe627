import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Operation } from "../../src/hotplug/operation.ts";
import { formatIdSet } from "../../src/units/index.ts";
import type { VcpuThread } from "../../src/vm/index.ts";
import type { Cli } from "./cli.ts";
import { askProbe } from "./probe.ts";

const reader = new URL("../../scripts/probe-report.mjs", import.meta.url).pathname;

/** A running guest that a test changes, seen from all sides. */
export interface LiveGuest {
  /** QEMU's vCPUs, as a list. */
  vcpus(): Promise<string>;
  /** Each vCPU's thread as the kernel has it; fails unless all are where the plan has them. */
  threads(): Promise<VcpuThread[]>;
  operations(): Promise<Operation[]>;
  /** What `ps` says. */
  count(): Promise<number>;
  /** The guest brings everything online that it was given. */
  online(): Promise<void>;
  /** The CPUs that run in the guest, by its nodes; the guest numbers them itself. */
  nodes(): Promise<string[]>;
  /** Runs a shell command in the guest. */
  run(command: string): Promise<void>;
  /** Makes the guest's kernel stand still. */
  crash(): Promise<void>;
}

export function liveGuest(cli: Cli, name: string): LiveGuest {
  const channel = join(cli.root, name, "qemu/channel0.sock");
  const json = async <T>(...arguments_: string[]) => JSON.parse(await cli.ok(...arguments_, "--json")) as T;
  const ask = async (request: string) => void (await execa("node", [reader, channel, request]));
  return {
    vcpus: async () => formatIdSet((await json<VcpuThread[]>("vcpus", name)).map(({ vcpu }) => vcpu)),
    async threads() {
      const threads = await json<VcpuThread[]>("vcpus", name);
      const astray = threads.filter(
        ({ plannedCpus, allowedCpus }) =>
          plannedCpus && formatIdSet(plannedCpus) !== formatIdSet(allowedCpus),
      );
      if (astray.length > 0) throw new Error(`not where they were planned: ${JSON.stringify(astray)}`);
      return threads;
    },
    operations: () => json<Operation[]>("ops", name),
    count: async () =>
      (await json<{ name: string; vcpus: number }[]>("ps")).find((vm) => vm.name === name)?.vcpus ?? 0,
    online: () => ask("online"),
    nodes: async () => (await askProbe(channel, 120)).nodes.map(({ cpus }) => cpus),
    run: (command) => ask(`run ${command}`),
    async crash() {
      await execa("node", [reader, channel, "run echo c >/proc/sysrq-trigger", "--timeout", "2"], {
        reject: false,
      });
    },
  };
}

/** A profile with changes, in a folder of the test's; paths in it stay what they were. */
export function changedProfile(cli: Cli, file: string, changes: object): string {
  const profile = JSON.parse(readFileSync(file, "utf8"));
  const { image, initrd, cmdline } = profile.kernel;
  const absolute = (path: string) => new URL(path, `file://${file}`).pathname;
  const kernel = { image: absolute(image), initrd: absolute(initrd), cmdline };
  const changed = join(cli.root, ".profile.json");
  writeFileSync(changed, JSON.stringify({ ...profile, kernel, ...changes }));
  return changed;
}

/** Whether this QEMU lives on when a vCPU has left: 7.2 without KVM crashes soon after. */
export async function canRemoveVcpus(qemu: string): Promise<boolean> {
  const { stdout } = await execa(qemu, ["--version"]);
  return Number(/version (\d+)/.exec(stdout)?.[1]) >= 8;
}
