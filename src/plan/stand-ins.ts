import type { JsonPath } from "../errors/index.ts";
import type { StandIn } from "../profile/index.ts";
import { describeByteSize } from "../units/index.ts";
import type { DeviceRequest, DeviceSite } from "./device-site.ts";
import type { Draft } from "./draft.ts";

const gibibyte = 2 ** 30;
const mebibyte = 2 ** 20;

/**
 * Emulated devices that stand for hardware. They are of the right class and nothing more: no network, no contents,
 * no memory of the host until the guest writes there.
 */
export function planStandIns(draft: Draft, site: DeviceSite): void {
  const entries = draft.profile.standIns.map(
    (entry, index): StandInAt => ({ entry, path: ["standIns", index] }),
  );
  for (const { entry, path } of entries) checkStandIn(draft, entry, path, entries);
  // Function 0 of a slot makes the others' place.
  const first = entries.filter(({ entry }) => entry.function === 0);
  const later = entries.filter(({ entry }) => entry.function !== 0);
  for (const { entry, path } of [...first, ...later]) {
    const shares = later.some((other) => other.entry.bus !== undefined && other.entry.bus === entry.bus);
    const main = first.find((other) => other.entry.bus === entry.bus)?.entry.id;
    const place: Pick<DeviceRequest, "bus" | "beside"> =
      entry.function === 0 || main === undefined
        ? { bus: entry.bus }
        : { bus: undefined, beside: { id: main, function: entry.function } };
    const because = draft.decide("stand-ins", `stand-ins.${entry.id}`, {
      value: `${drivers[entry.device]} for ${meanings[entry.device]}`,
      rule: "A device of the same class in the same place, for a rehearsal without the hardware. It has no option ROM, so that the firmware loses no time with it.",
      source: "edu",
    });
    site.place({
      id: entry.id,
      driver: drivers[entry.device],
      properties: {
        multifunction: shares && entry.function === 0 ? true : undefined,
        ...ownProperties(draft, entry, path, because),
      },
      because: [because],
      path,
      ...place,
    });
  }
}

interface StandInAt {
  readonly entry: StandIn;
  readonly path: JsonPath;
}

const drivers = {
  display: "bochs-display",
  network: "e1000e",
  nvme: "nvme",
  accelerator: "edu",
  memory: "ivshmem-plain",
} as const;

const meanings = {
  display: "a GPU",
  network: "a NIC",
  nvme: "an NVMe disk",
  accelerator: "an accelerator",
  memory: "a device with a large BAR",
} as const;

/** The properties, after what stands behind them. A ROM with rombar=0 would go to the firmware by name, and only once. */
function ownProperties(draft: Draft, entry: StandIn, path: JsonPath, because: string) {
  const { id, device } = entry;
  switch (device) {
    case "display":
    case "network":
      return { romfile: "" };
    case "accelerator":
      return {};
    case "nvme":
      draft.claimId("block node", id, [...path, "id"]);
      draft.add({
        option: "blockdev",
        driver: "null-co",
        nodeName: id,
        properties: { size: gibibyte, "read-zeroes": true },
        because: [because],
      });
      return { drive: id, serial: id };
    case "memory": {
      const memdev = `${id}-memory`;
      draft.claimId("object", memdev, [...path, "id"]);
      draft.add({
        option: "object",
        qomType: "memory-backend-ram",
        id: memdev,
        properties: { size: entry.barSize ?? gibibyte, reserve: false },
        because: [because],
      });
      return { memdev };
    }
  }
}

function checkStandIn(draft: Draft, entry: StandIn, path: JsonPath, all: readonly StandInAt[]): void {
  const { id, device, barSize, bus } = entry;
  const refuse = (key: string, found: string, needed: string, fix: string) =>
    draft.refuse("STAND_IN_COMBINATION", [...path, key], { found, needed, fix });
  if (barSize !== undefined && device !== "memory") {
    refuse(
      "barSize",
      `a BAR size for a ${device} stand-in`,
      'device "memory": the others have BARs of their own',
      "leave barSize out, or change device",
    );
  } else if (barSize !== undefined && (barSize < mebibyte || !Number.isInteger(Math.log2(barSize)))) {
    refuse(
      "barSize",
      `a BAR of ${describeByteSize(barSize)}`,
      "a power of two, 1 MiB or more",
      'write a size such as "16G"',
    );
  }
  const hasFirst = all.some((other) => other.entry.function === 0 && other.entry.bus === bus);
  if (entry.function > 0 && (bus === undefined || !hasFirst)) {
    refuse(
      "function",
      `${id} as function ${entry.function} ${bus === undefined ? "without a bus" : `on ${bus}, where none is function 0`}`,
      "a stand-in with function 0 on the same bus: the guest sees none of the others without it",
      "leave function out, or put another stand-in on the bus",
    );
  }
}
