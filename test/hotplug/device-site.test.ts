import { expect, it } from "vitest";
import { LiveSite } from "../../src/hotplug/device-site.ts";
import type { DeviceRequest } from "../../src/plan/device-site.ts";
import { Draft } from "../../src/plan/draft.ts";
import { profileSchema } from "../../src/profile/schema.ts";
import { describeProblem, places, recordedHost } from "../plan/planning.ts";

const profile = profileSchema.parse({ version: 1, name: "vm", cpus: { boot: 1 }, memory: { size: "1G" } });
const port = (id: string, cell?: number) => ({ id, cell, spare: true, pref64Bytes: 0, occupant: undefined });
const request = (id: string, given: Partial<DeviceRequest> = {}): DeviceRequest => ({
  id,
  driver: "vfio-pci",
  properties: {},
  because: [],
  path: ["passthrough", "devices", 0],
  bus: undefined,
  ...given,
});

/** Where the devices go, in the order of device_add, or what is wrong. */
function placed(wish: { bus?: string; cell?: number }, ...requests: DeviceRequest[]): string[] {
  const draft = new Draft({ profile, host: recordedHost("laptop"), ledger: [], places });
  const ports = [port("spare0"), port("spare1"), port("rp0", 0), port("rp1", 1)];
  const site = new LiveSite(draft, ports, { bus: wish.bus, cell: wish.cell });
  for (const each of requests) site.place(each);
  if (draft.problems.length > 0) return draft.problems.map(describeProblem);
  return draft.options.map((option) =>
    option.option === "device" ? `${option.id} ${option.properties.bus} ${option.properties.addr}` : "",
  );
}

it("takes a port of the cell that a device belongs to, unless the user says where", () => {
  expect(placed({}, request("a", { cell: 1 }), request("b"))).toEqual(["a rp1 0x0", "b spare0 0x0"]);
  expect(placed({ bus: "spare1" }, request("a", { cell: 1 }))).toEqual(["a spare1 0x0"]);
  expect(placed({ cell: 0 }, request("a", { cell: 1 }))).toEqual(["a rp0 0x0"]);
  expect(placed({}, request("a", { cell: 1, bus: "spare0" }))).toEqual(["a spare0 0x0"]);
});

it("adds function 0 of a slot last: the guest looks when it comes", () => {
  const audio = request("a.1", { beside: { id: "a", function: 1 } });
  const usb = request("a.2", { beside: { id: "a", function: 2 } });
  expect(placed({}, request("other"), request("a"), audio, usb)).toEqual([
    "other spare0 0x0",
    "a.1 spare1 0x0.0x1",
    "a.2 spare1 0x0.0x2",
    "a spare1 0x0",
  ]);
});

it("has nothing to say of the functions of a device that found no port", () => {
  const audio = request("a.1", { beside: { id: "a", function: 1 } });
  expect(placed({}, request("a", { cell: 3 }), audio)).toEqual([
    "LIVE_PORT passthrough.devices[0]: no hot-plug port on cell 3; a free port: root buses and switches take no devices while the guest runs",
  ]);
});
