import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFirmware } from "../../src/host/index.ts";
import { guestAddresses } from "../../src/plan/guest-addresses.ts";
import type { PciDeviceInfo, PciInfo } from "../../src/qmp/index.ts";
import { realSystem } from "../../src/system/index.ts";
import { executeQmp } from "../../src/vm/index.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { openRig, type Rig } from "../rig/vm.ts";

const image = readFirmware(realSystem.files).find(({ secureBoot }) => !secureBoot);
const switchOf = (id: string) => ({
  upstream: `${id}-up`,
  downstream: [{ port: `${id}-d0` }, { port: `${id}-d1`, addr: "3.0" }],
});
/** Slots in another order than the profile's; bus numbers kept below a switch, an empty port and one without hot-plug. */
const tree = [
  { rootPort: "a", addr: "8.0", switch: switchOf("a"), busReserve: 6 },
  { rootPort: "b", addr: "4.0", busReserve: 3 },
  {
    expander: "x",
    busNr: 0x40,
    numaNode: 0,
    ports: [
      { rootPort: "c", addr: "1.0", switch: switchOf("c") },
      { rootPort: "d", addr: "0.0", hotplug: false, busReserve: 2 },
      { rootPort: "e", addr: "1.1", switch: switchOf("e") },
    ],
  },
];
const standIns = ["b", "d", "a-d1", "c-d0", "e-d1"].map((bus) => ({
  ...{ id: `on-${bus}`, device: "memory", barSize: "1M", bus },
}));

/** The firmware is the judge: it numbers the buses. */
describe.each(qemuPrograms)("the addresses that a guest of %s has", (qemu) => {
  let rig: Rig;
  beforeAll(() => {
    rig = openRig(qemu);
  });
  afterAll(() => rig.close());

  it.each([
    ["seabios", "seabios"],
    ["ovmf", { ovmf: { code: image?.code, vars: image?.vars } }],
  ])("are those that were predicted, with %s", { timeout: 90_000 }, async (name, firmware) => {
    const profile = {
      name,
      machine: { accel: "tcg", firmware },
      memory: { size: "256M" },
      numa: { cells: [{ cpus: "0", memory: "256M" }] },
      pcie: { tree },
      standIns,
    };
    const { plan } = await rig.plan(profile);
    await rig.launch(profile, { paused: false });
    const expected = Object.fromEntries(guestAddresses(plan));
    await expect
      .poll(async () => seen((await executeQmp(rig.system, name, "query-pci")) as PciInfo[]), {
        timeout: 60_000,
        interval: 1000,
      })
      .toEqual(expected);
  });
});

/** Of each device with an id, as QEMU has it from the firmware. */
function seen(buses: readonly PciInfo[]): Record<string, string> {
  const withBelow = (device: PciDeviceInfo): PciDeviceInfo[] => [
    device,
    ...(device.pci_bridge?.devices ?? []).flatMap(withBelow),
  ];
  const named = buses
    .flatMap(({ devices }) => devices.flatMap(withBelow))
    .filter(({ qdev_id: id }) => id !== "");
  return Object.fromEntries(
    named.map(({ qdev_id: id, bus, slot, function: fn }) => [
      id,
      `0000:${hexByte(bus)}:${hexByte(slot)}.${fn}`,
    ]),
  );
}

const hexByte = (value: number) => value.toString(16).padStart(2, "0");
