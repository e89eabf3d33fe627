import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Event } from "../../src/events/event.ts";
import { discoverHost, type Host } from "../../src/host/index.ts";
import { type Plan, planVm } from "../../src/plan/index.ts";
import { parseProfile } from "../../src/profile/index.ts";
import { keepProfile } from "../../src/profile/kept.ts";
import { realSystem, type System } from "../../src/system/index.ts";
import { keptUuid, launchVm, placesFor, readLedger, runRoot, stopVm } from "../../src/vm/index.ts";

/** A run root of its own in a temporary folder. */
export interface Rig {
  readonly system: System;
  readonly root: string;
  readonly qemu: string;
  readonly events: Event[];
  /** Plans a profile for this machine. */
  plan(profile?: object): Promise<{ plan: Plan; host: Host; profileText: string; keptProfile: string }>;
  /** Plans and starts. */
  launch(profile?: object, options?: LaunchChanges): ReturnType<typeof launchVm>;
  /** Ends every VM, and removes the folder. */
  close(): Promise<void>;
}

export interface LaunchChanges {
  readonly paused?: boolean;
  readonly signal?: AbortSignal;
  readonly change?: (plan: Plan) => Plan;
  readonly system?: System;
  /** Plans without a look at the run root, which would refuse first. */
  readonly unchecked?: boolean;
}

/** The smallest guest: no kernel, no disk; SeaBIOS looks for something to boot. */
export const smallProfile = {
  version: 1,
  name: "small",
  machine: { accel: "tcg" },
  cpus: { boot: 1 },
  memory: { size: "64M" },
};

/** @param root a folder for the VMs; default: a new one */
export function openRig(
  qemu: string,
  changes: Partial<System> = {},
  root = mkdtempSync(join(tmpdir(), "qlaunch-test-")),
): Rig {
  const system: System = {
    ...realSystem,
    ...changes,
    user: { ...realSystem.user, environment: { ...process.env, QLAUNCH_RUN_DIR: root } },
  };
  const events: Event[] = [];
  const emit = (event: Event) => void events.push(event);
  const plan = async (changed: object = {}, unchecked = false) => {
    const profileText = JSON.stringify({ ...smallProfile, ...changed });
    const reading = await parseProfile(profileText, "test.json");
    if (reading.profile === undefined) throw new Error(JSON.stringify(reading.diagnostics));
    const host = await discoverHost(system, { qemu, need: { qemu: "required" } });
    const { profile } = reading;
    const places = placesFor(runRoot(system), profile.name);
    const uuid = unchecked ? undefined : keptUuid(system, profile.name);
    const result = planVm({
      profile,
      host,
      places,
      ledger: unchecked ? [] : readLedger(system),
      program: qemu,
      ...(uuid === undefined ? {} : { uuid }),
    });
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
    return { plan: result.value, host, profileText, keptProfile: keepProfile(reading.profile, "/") };
  };
  return {
    system,
    root,
    qemu,
    events,
    plan,
    async launch(profile, { paused = true, signal, change, system: other, unchecked } = {}) {
      const planned = await plan(profile, unchecked);
      return launchVm(other ?? system, {
        ...planned,
        plan: change?.(planned.plan) ?? planned.plan,
        paused,
        emit,
        ...(signal === undefined ? {} : { signal }),
      });
    },
    async close() {
      for (const name of readdirSync(root).filter((entry) => !entry.startsWith("."))) {
        await stopVm(system, name, { force: true });
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Ids of the live processes that have this text among their arguments. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}
