import { describe, expect, it } from "vitest";
import type { Event } from "../../src/events/event.ts";
import { additionHandler, additionRequest } from "../../src/hotplug/device-addition.ts";
import type { LiveVm } from "../../src/hotplug/live.ts";
import type { OperationJournal } from "../../src/hotplug/operation-journal.ts";
import { giveBackUnused, takeDevices } from "../../src/hotplug/passed-devices.ts";
import { QmpCommandError } from "../../src/qmp/index.ts";
import { Journal } from "../../src/vm/journal.ts";
import type { VmRecord } from "../../src/vm/record.ts";
import { parseRecord } from "../../src/vm/record-format.ts";
import { pciFunction } from "../host/pci-functions.ts";
import { Killed, type VfioHost, vfioHost } from "../rig/vfio-host.ts";
import { passed, record } from "../vm/vfio/passed.ts";

const gpu = pciFunction("0000:41:00.0", { iommuGroup: 1, driver: "nvidia" });
const audio = pciFunction("0000:41:00.1", { iommuGroup: 1, driver: "snd" });
const disk = pciFunction("0000:42:00.0", { iommuGroup: 2, driver: "nvme" });
const functions = [gpu, audio, disk];
const both = passed([gpu, audio]);

const directory = "/run/qlaunch/vm";
const running: VmRecord = {
  ...record,
  phase: "running",
  undo: [
    { step: "make the run directory", action: { do: "remove", path: directory } },
    { step: "start QEMU", action: { do: "end-process", process: null, marks: ["-pidfile", "/x"] } },
  ],
};

/** A VM whose QEMU has these devices, id to address; its record is as the last command left it. */
function live(host: VfioHost, qemu: Map<string, string> = new Map(), changes: Partial<LiveVm> = {}) {
  const reading = parseRecord(String(host.tree[`${directory}/vm.json`] ?? JSON.stringify(running)));
  if (reading.kind !== "record") throw new Error(reading.problem);
  const events: Event[] = [];
  const qmp = {
    state: "running",
    execute: async (command: string, { path = "", property = "" }) => {
      if (command === "qom-list") return [...qemu.keys()].map((name) => ({ name, type: "child<vfio-pci>" }));
      const id = path.split("/").at(-1) ?? "";
      return property === "host" ? qemu.get(id) : undefined;
    },
  };
  const vm = {
    system: host.system,
    name: "vm",
    directory,
    plan: { run: { user: undefined, passthrough: [] }, options: [] },
    qmp,
    journal: new Journal(host.system.files, directory, reading.record),
    emit: (event: Event) => void events.push(event),
    ...changes,
  } as unknown as LiveVm;
  return { vm, events };
}

const states = (host: VfioHost) => functions.map(({ address }) => host.stateOf(address));

describe("taking devices for a VM that runs", () => {
  it("notes them, and what they had, in front of QEMU's end", async () => {
    const host = vfioHost(functions);
    const { vm } = live(host);
    await takeDevices(vm, both);
    expect(states(host)).toEqual(["vfio-pci (override vfio-pci)", "vfio-pci (override vfio-pci)", "nvme"]);
    const { pciFunctions, undo } = vm.journal.record;
    expect(pciFunctions).toEqual(["0000:41:00.0", "0000:41:00.1"]);
    expect(undo.map(({ step }) => step)).toEqual([
      "make the run directory",
      "bind 0000:41:00.0",
      "bind 0000:41:00.1",
      "start QEMU",
    ]);
  });

  it("is done to the end by the next command, and what they had at first stays noted", async () => {
    for (let kill = 0; ; kill++) {
      const host = vfioHost(functions);
      host.writesLeft = kill;
      const outcome = await takeDevices(live(host).vm, both).catch((error: unknown) => error);
      host.writesLeft = Number.POSITIVE_INFINITY;
      const { vm } = live(host);
      await takeDevices(vm, both);
      expect(vm.journal.record.undo.slice(1, -1).map(({ action }) => action)).toEqual([
        { do: "give-back-device", address: "0000:41:00.0", driver: "nvidia", override: null },
        { do: "give-back-device", address: "0000:41:00.1", driver: "snd", override: null },
      ]);
      await giveBackUnused(vm);
      expect(states(host), `killed at ${kill}`).toEqual(["nvidia", "snd", "nvme"]);
      if (outcome === undefined) break;
      expect(outcome).toBeInstanceOf(Killed);
    }
  });

  it("leaves what another VM has", async () => {
    const other = { ...running, name: "other", pciFunctions: ["0000:41:00.1"] };
    const undo = [
      {
        step: "x",
        action: { do: "give-back-device", address: "0000:41:00.1", driver: "snd", override: null },
      },
    ];
    const host = vfioHost(functions, {
      files: { "/run/qlaunch/other/vm.json": JSON.stringify({ ...other, undo }) },
    });
    await expect(takeDevices(live(host).vm, both)).rejects.toMatchObject({
      diagnostics: [{ code: "HOST_DEVICE_BUSY", found: "0000:41:00.1 belongs to other" }],
    });
    expect(host.writes).toEqual([]);
  });
});

describe("giving devices back while the VM runs", () => {
  it("waits for the whole group, and says so", async () => {
    const host = vfioHost(functions);
    await takeDevices(live(host).vm, both);
    const qemu = new Map([["audio", "0000:41:00.1"]]);
    const { vm, events } = live(host, qemu);
    await giveBackUnused(vm);
    expect(host.stateOf("0000:41:00.0")).toBe("vfio-pci (override vfio-pci)");
    expect(events).toContainEqual({
      type: "notice",
      level: "info",
      message: "0000:41:00.0 stays on vfio-pci: vm has other devices of the IOMMU group",
    });
    qemu.clear();
    await giveBackUnused(vm);
    expect(states(host)).toEqual(["nvidia", "snd", "nvme"]);
    expect(vm.journal.record).toMatchObject({ pciFunctions: [], undo: running.undo });
  });

  it("does nothing where QEMU does not tell what it has", async () => {
    const host = vfioHost(functions);
    await takeDevices(live(host).vm, both);
    await giveBackUnused(live(host, new Map([["odd", ""]])).vm);
    expect(host.stateOf("0000:41:00.0")).toBe("vfio-pci (override vfio-pci)");
  });

  it("takes nothing from a QEMU that still has it open", async () => {
    const host = vfioHost(functions);
    await takeDevices(live(host).vm, both);
    let elapsedMs = 0;
    const { system } = host;
    const sleep = async () => {
      elapsedMs += 1000;
    };
    const held = {
      ...system,
      clock: { ...system.clock, elapsedMs: () => elapsedMs, sleep },
      files: { ...system.files, opens: () => elapsedMs > 20_000 },
    };
    const { vm } = live(host, new Map(), { system: held });
    await expect(giveBackUnused(vm)).rejects.toMatchObject({
      diagnostics: [{ code: "HOST_DEVICE_BUSY", fix: expect.stringContaining("fuser -v /dev/vfio/1") }],
    });
    expect(host.stateOf("0000:41:00.0")).toBe("vfio-pci (override vfio-pci)");
    elapsedMs = 21_000;
    await giveBackUnused(vm);
    expect(states(host)).toEqual(["nvidia", "snd", "nvme"]);
  });
});

describe("an addition", () => {
  it("that QEMU refuses gives the driver back", async () => {
    const host = vfioHost(functions);
    const { vm } = live(host);
    const device = { verb: "device_add", id: "disk", arguments: { driver: "vfio-pci", id: "disk" } } as const;
    const { request } = additionRequest("device-add", "", {
      id: "disk",
      parts: [device],
      passthrough: passed([disk]),
    });
    const ended: string[] = [];
    let bound = "";
    const journal = {
      operation: { kind: "device-add", state: "requested", request },
      remember: () => {},
      enter: (state: string) => ended.push(state),
      fail: (state: string) => ended.push(state),
    } as unknown as OperationJournal;
    const refusing = async () => {
      bound = host.stateOf("0000:42:00.0");
      const request = { command: "device_add", arguments: device.arguments, sent: undefined };
      const desc = "vfio 0000:42:00.0: group 2 is not viable";
      throw new QmpCommandError(request, { class: "GenericError", desc }, undefined);
    };
    const qmp = { ...vm.qmp, listen: () => ({ close() {} }), executeRaw: refusing };
    await expect(additionHandler.carryOn({ ...vm, qmp } as unknown as LiveVm, journal)).rejects.toMatchObject(
      {
        diagnostics: [
          {
            found: "QEMU refused device_add: vfio 0000:42:00.0: group 2 is not viable",
            fix: expect.stringContaining("qlaunch vfio list --all"),
          },
        ],
      },
    );
    expect(bound).toBe("vfio-pci (override vfio-pci)");
    expect(ended).toEqual(["undone"]);
    expect(states(host)).toEqual(["nvidia", "snd", "nvme"]);
  });
});
