import { describe, expect, it } from "vitest";
import { device, plan, problems, values } from "./planning.ts";

const bare = { rng: false, guestAgent: false, pcie: { spareRootPorts: 0, tree: [{ rootPort: "rp" }] } };
const planned = (...standIns: object[]) => plan({ ...bare, standIns });

describe("a stand-in", () => {
  it.each([
    ["display", "bochs-display,id=a,bus=rp-a,addr=0x0,romfile="],
    ["network", "e1000e,id=a,bus=rp-a,addr=0x0,romfile="],
    ["accelerator", "edu,id=a,bus=rp-a,addr=0x0"],
    ["nvme", "nvme,id=a,bus=rp-a,addr=0x0,drive=a,serial=a"],
    ["memory", "ivshmem-plain,id=a,bus=rp-a,addr=0x0,memdev=a-memory"],
  ])("for %s is %s", (kind, expected) => {
    expect(device(planned({ id: "a", device: kind }), "a")).toBe(expected);
  });

  it("of a disk has no contents, and one of memory takes none of the host's", () => {
    expect(values(planned({ id: "a", device: "nvme" }), "blockdev")).toEqual([
      "driver=null-co,node-name=a,size=1073741824,read-zeroes=on",
    ]);
    expect(values(planned({ id: "a", device: "memory", barSize: "64G" }), "object")).toContain(
      "memory-backend-ram,id=a-memory,size=68719476736,reserve=off",
    );
  });

  it("sits on the bus that is named, with others as functions of one device", () => {
    const both = planned(
      { id: "b", device: "network", bus: "rp", function: 1 },
      { id: "a", device: "network", bus: "rp" },
    );
    expect(device(both, "a")).toBe("e1000e,id=a,bus=rp,addr=0x0,multifunction=on,romfile=");
    expect(device(both, "b")).toBe("e1000e,id=b,bus=rp,addr=0x0.0x1,romfile=");
  });

  it.each([
    [
      [{ id: "a", device: "display", barSize: "1G" }],
      'standIns[0].barSize: a BAR size for a display stand-in; device "memory": the others have BARs of their own',
    ],
    [
      [{ id: "a", device: "memory", barSize: "3G" }],
      "standIns[0].barSize: a BAR of 3 GiB; a power of two, 1 MiB or more",
    ],
    [
      [{ id: "a", device: "memory", barSize: "64K" }],
      "standIns[0].barSize: a BAR of 64 KiB; a power of two, 1 MiB or more",
    ],
    [
      [{ id: "a", device: "network", function: 1 }],
      "standIns[0].function: a as function 1 without a bus; a stand-in with function 0 on the same bus: the guest sees none of the others without it",
    ],
    [
      [{ id: "a", device: "network", bus: "rp", function: 1 }],
      "standIns[0].function: a as function 1 on rp, where none is function 0; a stand-in with function 0 on the same bus: the guest sees none of the others without it",
    ],
  ])("refuses %j", (standIns, problem) => {
    expect(problems({ ...bare, standIns })).toEqual([`STAND_IN_COMBINATION ${problem}`]);
  });

  it("refuses two at the same function of a port", () => {
    const standIns = [
      { id: "a", device: "network", bus: "rp" },
      { id: "b", device: "network", bus: "rp", function: 1 },
      { id: "c", device: "network", bus: "rp", function: 1 },
    ];
    expect(problems({ ...bare, standIns })).toEqual([
      "PCIE_PLACEMENT standIns[2]: c at 0x0.0x1 on rp, where another device is; a free slot and function",
    ]);
  });
});
