import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/events/event.ts";
import type { PciFunction } from "../../../src/host/index.ts";
import type { Plan } from "../../../src/plan/index.ts";
import type { Account } from "../../../src/vm/accounts.ts";
import { parseRecord } from "../../../src/vm/record-format.ts";
import { unwind } from "../../../src/vm/undo.ts";
import { bindDevices } from "../../../src/vm/vfio/bind-devices.ts";
import { Killed, type VfioHost, vfioHost } from "../../rig/vfio-host.ts";
import { functions, journalOn, passed } from "./passed.ts";

const addresses = functions.map(({ address }) => address);
const stated = (host: VfioHost) => addresses.map((address) => host.stateOf(address));
const overridden = { "/sys/devices/pci0000:42/0000:42:00.0/driver_override": "nvme\n" };
const before = ["nvidia", "nvme (override nvme)", "none", "vfio-pci"];

function start(
  host: VfioHost,
  { list = functions, emit = () => {}, account, options = [] }: Circumstances = {},
): Promise<void> {
  const { system } = host;
  const binding = {
    system,
    plan: { options },
    journal: journalOn(host),
    account,
    emit,
    step: "bind devices",
  };
  return bindDevices(binding, passed(list));
}

interface Circumstances {
  readonly list?: readonly PciFunction[];
  readonly emit?: (event: Event) => void;
  readonly account?: Account;
  readonly options?: Plan["options"];
}

/** Time goes by only while somebody sleeps, and then by a second at least. */
function runningClock() {
  let elapsedMs = 0;
  return {
    now: () => elapsedMs,
    elapsedMs: () => elapsedMs,
    async sleep(milliseconds: number) {
      elapsedMs += Math.max(milliseconds, 1000);
    },
  };
}

/** As the next command finds the record. */
function undoOf({ tree }: VfioHost) {
  const reading = parseRecord(String(tree["/run/vm/vm.json"]));
  if (reading.kind !== "record") throw new Error(reading.problem);
  return reading.record.undo;
}

describe("binding devices", () => {
  it("notes what each had before the first is touched, and says which is at work", async () => {
    const host = vfioHost(functions, { files: overridden });
    const events: Event[] = [];
    await start(host, { emit: (event) => events.push(event) });
    expect(stated(host)).toEqual([
      "vfio-pci (override vfio-pci)",
      "vfio-pci (override vfio-pci)",
      "vfio-pci (override vfio-pci)",
      "vfio-pci",
    ]);
    expect(host.writes).toEqual([
      "vm.json",
      "0000:41:00.0/driver_override vfio-pci",
      "driver/unbind 0000:41:00.0",
      "vfio-pci/bind 0000:41:00.0",
      "0000:42:00.0/driver_override vfio-pci",
      "driver/unbind 0000:42:00.0",
      "vfio-pci/bind 0000:42:00.0",
      "0000:43:00.0/driver_override vfio-pci",
      "vfio-pci/bind 0000:43:00.0",
    ]);
    expect(undoOf(host).slice(1)).toEqual([
      {
        step: "bind 0000:41:00.0",
        action: { do: "give-back-device", address: "0000:41:00.0", driver: "nvidia", override: null },
      },
      {
        step: "bind 0000:42:00.0",
        action: { do: "give-back-device", address: "0000:42:00.0", driver: "nvme", override: "nvme" },
      },
      {
        step: "bind 0000:43:00.0",
        action: { do: "give-back-device", address: "0000:43:00.0", driver: null, override: null },
      },
      {
        step: "bind 0000:44:00.0",
        action: { do: "give-back-device", address: "0000:44:00.0", driver: "vfio-pci", override: null },
      },
    ]);
    expect(events.map((event) => event.type === "waiting" && event.reason)).toEqual([
      "0000:41:00.0 from nvidia (1 of 4)",
      "0000:42:00.0 from nvme (2 of 4)",
      "0000:43:00.0 from no driver (3 of 4)",
      "0000:44:00.0 from vfio-pci (4 of 4)",
    ]);
  });

  it("is taken back from wherever it was killed, also when taking back is killed", async () => {
    for (let kill = 0; ; kill++) {
      let left = 0;
      for (let killAgain = 0; ; killAgain++) {
        const host = vfioHost(functions, { files: overridden });
        host.writesLeft = kill;
        const outcome = await start(host).catch((error: unknown) => error);
        if (outcome === undefined) left = host.writes.length;
        else expect(outcome).toBeInstanceOf(Killed);
        host.writesLeft = killAgain;
        const problems = await unwind(host.system, undoOf(host), () => {});
        host.writesLeft = Number.POSITIVE_INFINITY;
        if (problems.length > 0) await unwind(host.system, undoOf(host), () => {});
        expect(stated(host), `killed at ${kill} and ${killAgain}`).toEqual(before);
        expect(Object.keys(host.tree).filter((path) => /^\/run|^\/dev\/vfio\/[123]/.test(path))).toEqual([]);
        if (problems.length === 0) break;
      }
      if (left === 0) continue;
      expect(left).toBe(9);
      break;
    }
  });

  it("loads the driver, and is refused where it does not come", async () => {
    const list = functions.slice(0, 1);
    const host = vfioHost(list, { isLoaded: false });
    await start(host, { list });
    expect(host.writes).toContain("modprobe vfio-pci");
    const without = vfioHost(list, { isLoaded: false });
    without.refusing.add("modprobe");
    await expect(start(without, { list })).rejects.toMatchObject({
      diagnostics: [{ code: "HOST_IOMMU", fix: expect.stringContaining("modprobe vfio-pci") }],
    });
  });

  it("refuses all that are gone, exchanged or dead at once, and touches none", async () => {
    const host = vfioHost(functions);
    host.unplug("0000:41:00.0");
    host.kill("0000:42:00.0");
    host.tree["/sys/devices/pci0000:43/0000:43:00.0/device"] = "0x1042\n";
    await expect(start(host)).rejects.toMatchObject({
      diagnostics: [
        { code: "HOST_DEVICE_ABSENT", path: ["passthrough", "devices", 0] },
        { code: "HOST_DEVICE_DEAD", path: ["passthrough", "devices", 1] },
        {
          code: "HOST_DEVICE_ABSENT",
          found: "0000:43:00.0 is 1af4:1042, and the plan is for 1af4:1041",
        },
      ],
    });
    expect(host.writes).toEqual([]);
  });

  it("says which driver refuses", async () => {
    const host = vfioHost(functions);
    host.refusing.add("vfio-pci");
    await expect(start(host)).rejects.toMatchObject({
      diagnostics: [
        {
          code: "HOST_DEVICE_BIND",
          found: "0000:41:00.0 could not be taken from nvidia: the kernel refused (ENODEV)",
        },
      ],
    });
    expect(await unwind(host.system, undoOf(host), () => {})).toEqual([]);
    expect(host.stateOf("0000:41:00.0")).toBe("nvidia");
  });

  it("refuses a group that QEMU's user may not open", async () => {
    const host = vfioHost(functions);
    const system = { ...host.system, clock: runningClock() };
    const account = { uid: 107, gid: 107, groups: [] };
    await expect(start({ ...host, system }, { account })).rejects.toMatchObject({
      diagnostics: [
        {
          code: "HOST_IOMMU",
          found: "user 107 may not open /dev/vfio/1",
          fix: expect.stringContaining("udev"),
        },
      ],
    });
  });
});

describe("with iommufd", () => {
  const options = [
    { option: "object", qomType: "iommufd", id: "iommufd0", properties: {}, because: [] },
  ] as const;
  const list = functions.slice(0, 1);

  it("each function has a node of its own", async () => {
    const host = vfioHost(list, {
      files: {
        "/sys/devices/pci0000:41/0000:41:00.0/vfio-dev/vfio3/dev": "",
        "/dev/vfio/devices/vfio3": { facts: { kind: "character", mode: 0o600 } },
      },
    });
    await start(host, { list, options });
    const system = { ...host.system, clock: runningClock() };
    const account = { uid: 107, gid: 107, groups: [] };
    await expect(start({ ...host, system }, { list, options, account })).rejects.toThrow(
      "user 107 may not open /dev/vfio/devices/vfio3",
    );
  });

  it("a kernel that makes none is refused", async () => {
    const host = vfioHost(list);
    const system = { ...host.system, clock: runningClock() };
    await expect(start({ ...host, system }, { list, options })).rejects.toThrow(
      "the kernel made no /dev/vfio/devices for 0000:41:00.0 here",
    );
  });
});

describe("giving devices back", () => {
  it("passes over what is gone, and leaves what somebody else bound since", async () => {
    const host = vfioHost(functions);
    await start(host);
    const events: Event[] = [];
    host.unplug("0000:41:00.0");
    const folder = "/sys/devices/pci0000:42/0000:42:00.0";
    host.tree["/sys/bus/pci/drivers/uio/bind"] = "";
    host.tree[`${folder}/driver`] = { link: "/sys/bus/pci/drivers/uio" };
    host.tree[`${folder}/driver_override`] = "uio\n";
    expect(await unwind(host.system, undoOf(host), (event) => events.push(event))).toEqual([]);
    expect(stated(host).slice(1)).toEqual(["uio (override uio)", "none", "vfio-pci"]);
    expect(events.flatMap((event) => (event.type === "waiting" ? event.reason : []))).toEqual([
      "0000:44:00.0 to vfio-pci",
      "0000:43:00.0 to no driver",
      "0000:42:00.0 to nvme",
      "0000:41:00.0 to nvidia",
    ]);
  });

  it("goes on after one that does not answer, keeps the record, and ends once it is off the bus", async () => {
    const host = vfioHost(functions);
    await start(host);
    host.kill("0000:41:00.0");
    host.kill("0000:43:00.0");
    const problems = await unwind(host.system, undoOf(host), () => {});
    expect(problems).toEqual([
      expect.stringMatching(/^bind 0000:43:00.0: 0000:43:00.0 does not answer.*; take it off the bus/),
      expect.stringMatching(/^bind 0000:41:00.0: 0000:41:00.0 does not answer.*0000:41:00.0\/remove/),
      "make the run directory: kept /run/vm",
    ]);
    expect(stated(host)).toEqual(["none", "nvme", "none", "vfio-pci"]);
    host.unplug("0000:41:00.0");
    host.unplug("0000:43:00.0");
    expect(await unwind(host.system, undoOf(host), () => {})).toEqual([]);
  });

  it("says when the old driver does not take it, or is not loaded any more", async () => {
    const host = vfioHost(functions);
    await start(host);
    host.refusing.add("nvidia");
    delete host.tree["/sys/bus/pci/drivers/nvme/bind"];
    expect(await unwind(host.system, undoOf(host), () => {})).toEqual([
      expect.stringMatching(
        /^bind 0000:42:00.0: 0000:42:00.0 was given back to nvme, which does not take it; load/,
      ),
      expect.stringMatching(/^bind 0000:41:00.0: 0000:41:00.0 could not be given back to nvidia: .*ENODEV/),
      "make the run directory: kept /run/vm",
    ]);
    host.refusing.clear();
    host.tree["/sys/bus/pci/drivers/nvme/bind"] = "";
    expect(await unwind(host.system, undoOf(host), () => {})).toEqual([]);
    expect(stated(host)).toEqual(["nvidia", "nvme", "none", "vfio-pci"]);
  });

  it("keeps devices as they are while QEMU does not end", async () => {
    const host = vfioHost(functions);
    await start(host);
    const stat = `7 (qemu) ${["D", ...Array.from({ length: 49 }, () => "5")].join(" ")}`;
    host.tree["/proc/7/stat"] = stat;
    host.tree["/proc/7/task/7/stat"] = stat;
    const processes = { ...host.system.processes, signal: () => true };
    const system = { ...host.system, clock: runningClock(), processes };
    const qemu = {
      step: "start QEMU",
      action: { do: "end-process", process: { pid: 7, startTimeTicks: 5 }, marks: [] },
    } as const;
    expect(await unwind(system, [...undoOf(host), qemu], () => {})).toContain(
      "bind 0000:41:00.0: kept 0000:41:00.0",
    );
    expect(host.stateOf("0000:41:00.0")).toBe("vfio-pci (override vfio-pci)");
  });
});
