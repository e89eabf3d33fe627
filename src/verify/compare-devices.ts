import { guestAddresses } from "../plan/guest-addresses.ts";
import type { Plan, PlannedDevice } from "../plan/types.ts";
import { GuestDevices, rootBusAddress } from "./guest-devices.ts";
import type { GuestFunction, ProbeReport } from "./report.ts";
import { type Row, rowsOf } from "./row.ts";

/** Each device of the plan: where the guest has it, on which node, with which ids, and whether its BARs got addresses. */
export function compareDevices(plan: Plan, report: ProbeReport): Row[] {
  const guest = new GuestDevices(plan.devices, report.pci);
  const ids = plannedIds(plan);
  const addresses = guestAddresses(plan);
  const carriers = new Set(plan.devices.map(({ bus }) => bus));
  return plan.devices.flatMap((device) => {
    const row = rowsOf("device", device.id);
    if (device.busNr !== undefined) {
      // An expander bus with nothing on it does not show.
      if (!carriers.has(device.id)) return [];
      const found = guest.onRootBus(device.busNr);
      return [
        row("address", rootBusAddress(device.busNr), found && rootBusAddress(device.busNr)),
        row("node", nodeName(device.numaNode), found && nodeName(found.numaNode)),
      ];
    }
    const found = guest.find(device);
    return [
      { ...row("address", placeOf(device), found?.address), same: found !== undefined },
      row("bus", busOf(addresses.get(device.id)), busOf(found?.address)),
      row("node", nodeName(device.numaNode), found && nodeName(found.numaNode)),
      row("ids", ids.get(device.id), found && `${digits(found.vendor)}:${digits(found.device)}`),
      ...barRows(device, found),
    ];
  });
}

/** "dp3 0": found there, whatever number its bus has. */
const placeOf = ({ bus, slot, function: fn }: PlannedDevice) =>
  `${bus} ${slot.toString(16)}${fn === 0 ? "" : `.${fn}`}`;

/** "23" of "0000:23:00.0": what the firmware numbers it. */
const busOf = (address: string | undefined) => address?.split(":")[1];

const nodeName = (node: number | undefined) => (node === undefined || node < 0 ? "none" : String(node));

const digits = (id: string) => id.replace(/^0x/, "");

/** Vendor and device that the guest should read from a passed-through device: those it was given, else the host's. */
function plannedIds(plan: Plan): ReadonlyMap<string, string> {
  const given = new Map(
    plan.options.flatMap((option) =>
      option.option === "device" && option.id !== undefined ? [[option.id, option.properties]] : [],
    ),
  );
  return new Map(
    plan.run.passthrough.flatMap(({ deviceId, vendor, device }) => {
      if (deviceId === undefined) return [];
      const properties = given.get(deviceId);
      const seenVendor = hexId(properties?.["x-pci-vendor-id"]) ?? vendor;
      const seenDevice = hexId(properties?.["x-pci-device-id"]) ?? device;
      return [[deviceId, `${seenVendor}:${seenDevice}`]];
    }),
  );
}

/** A number, or text as QEMU takes it: "0x10de". */
function hexId(value: unknown): string | undefined {
  const id = typeof value === "string" || typeof value === "number" ? Number(value) : Number.NaN;
  return Number.isInteger(id) ? id.toString(16).padStart(4, "0") : undefined;
}

const memoryFlag = 0x200n;
const lastBar = 5;

/** A memory BAR without an address is one that the firmware's window had no room for. I/O BARs may go without. */
function barRows({ id }: PlannedDevice, found: GuestFunction | undefined): Row[] {
  const bars = found?.resources.filter(({ index, flags }) => index <= lastBar && hasFlag(flags, memoryFlag));
  if (bars === undefined || bars.length === 0) return [];
  const lost = bars.filter(({ start }) => !/[1-9a-f]/.test(digits(start))).map(({ index }) => index);
  const seen = lost.length === 0 ? "assigned" : `BAR ${lost.join(", ")} without address`;
  return [rowsOf("device", id)("BARs", "assigned", seen)];
}

function hasFlag(flags: string, flag: bigint): boolean {
  return /^0x[0-9a-f]{1,16}$/.test(flags) && (BigInt(flags) & flag) !== 0n;
}
