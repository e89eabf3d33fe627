import { readdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Event } from "../../src/events/event.ts";
import { readBlockNodes, readDevices, readNetdevs, readObjects } from "../../src/hotplug/device-list.ts";
import type { LiveOptions } from "../../src/hotplug/index.ts";
import { realSystem, type System } from "../../src/system/index.ts";
import { openVm } from "../../src/vm/index.ts";
import type { Cli } from "./cli.ts";
import type { ProbeReport } from "./probe.ts";

const reader = new URL("../../scripts/probe-report.mjs", import.meta.url).pathname;

/** The probe guest's report, with the parts that memory and devices are about. */
export interface DeviceReport extends ProbeReport {
  readonly memoryBlocks: { sizeKiB: number; online: number; offline: number };
  readonly block: readonly { name: string; sizeBytes: number; serial: string; pci: string | null }[];
  readonly net: readonly { name: string; mac: string; pci: string | null }[];
}

/** Everything of QEMU's that an addition makes and a removal takes away. */
export interface Census {
  readonly memory: readonly string[];
  readonly objects: readonly string[];
  readonly devices: readonly string[];
  readonly blockNodes: readonly string[];
  readonly netdevs: readonly string[];
  /** Open descriptors of the process. */
  readonly descriptors: number;
}

/** A running VM of the built program, changed by the same functions that its commands call. */
export interface LiveDevices {
  readonly system: System;
  readonly options: LiveOptions;
  readonly events: Event[];
  census(): Promise<Census>;
  report(): Promise<DeviceReport>;
  /** The guest brings everything online that it was given, as memory that can move. */
  online(): Promise<void>;
  /** Runs a shell command in the guest, and answers what it printed. */
  run(command: string): Promise<string>;
  /** What `ps` says of memory, in MiB. */
  memoryMib(): Promise<number>;
}

export function liveDevices(cli: Cli, name: string): LiveDevices {
  const channel = join(cli.root, name, "qemu/channel0.sock");
  const system: System = {
    ...realSystem,
    user: { ...realSystem.user, environment: { ...process.env, QLAUNCH_RUN_DIR: cli.root } },
  };
  const events: Event[] = [];
  const ask = async (request: string) => JSON.parse((await execa("node", [reader, channel, request])).stdout);
  return {
    system,
    events,
    options: { emit: (event) => void events.push(event), timeoutMs: 60_000 },
    async census() {
      const { qmp, record, close } = await openVm(system, name);
      try {
        const [memory, objects, devices, nodes, netdevs] = await Promise.all([
          qmp.execute("query-memory-devices"),
          readObjects(qmp),
          readDevices(qmp),
          readBlockNodes(qmp),
          readNetdevs(qmp),
        ]);
        return {
          memory: memory.map(({ data }) => data.id ?? "").sort(),
          objects: objects.map(({ id }) => id).sort(),
          devices: devices.map(({ id }) => id).sort(),
          blockNodes: [...nodes].sort(),
          netdevs: [...netdevs].sort(),
          descriptors: readdirSync(`/proc/${record.qemu?.pid}/fd`).length,
        };
      } finally {
        await close();
      }
    },
    report: () => ask("report"),
    online: () => ask("online"),
    run: async (command) => (await ask(`run ${command}`)).output,
    async memoryMib() {
      const vms: { name: string; memoryBytes: number }[] = JSON.parse(await cli.ok("ps", "--json"));
      return (vms.find((vm) => vm.name === name)?.memoryBytes ?? 0) / 2 ** 20;
    },
  };
}
