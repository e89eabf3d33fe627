import { describe, expect, it } from "vitest";
import { plan, problems, recordedHost, values } from "./planning.ts";

describe("firmware", () => {
  const ovmf = { code: "/code.fd", vars: "/vars.fd" };

  it("is SeaBIOS without more", () => expect(values(plan(), "drive")).toEqual([]));

  it("is OVMF with a variable store of the VM's own", () => {
    const planned = plan({ machine: { firmware: { ovmf } } });
    expect(values(planned, "drive")).toEqual([
      "if=pflash,format=raw,unit=0,readonly=on,file=/code.fd",
      "if=pflash,format=raw,unit=1,file=/run/qlaunch/vm/qemu/ovmf-vars.fd",
    ]);
    expect(planned.run.copies).toEqual([{ source: "/vars.fd", target: "/run/qlaunch/vm/qemu/ovmf-vars.fd" }]);
  });

  it("is the host's image that has Secure Boot, or has not", () => {
    const image = (secureBoot: boolean) => ({ code: `/c${secureBoot}`, vars: `/v${secureBoot}`, secureBoot });
    const host = { ...recordedHost("laptop"), firmware: [image(false), image(true)] };
    const planned = plan({ machine: { firmware: { ovmf: { secureBoot: true } } } }, { host });
    expect(values(planned, "drive")[0]).toContain("file=/ctrue");
    expect(values(planned, "global")).toContain("driver=cfi.pflash01,property=secure,value=on");
    expect(values(planned, "machine")[0]).toContain("smm=on");
    const plain = plan({ machine: { firmware: { ovmf: {} } } }, { host });
    expect(values(plain, "drive")[0]).toContain("file=/cfalse");
    expect(values(plain, "global")).toEqual([]);
  });

  it("is refused when there is none", () => {
    expect(problems({ machine: { firmware: { ovmf: {} } } })).toEqual([
      "HOST_FILE_MISSING machine.firmware.ovmf: no OVMF image on this host; the firmware's code and variable store",
    ]);
  });

  it("has a flash name that no disk may take", () => {
    const disks = [{ id: "pflash1", file: "/d", format: "raw" }];
    expect(problems({ machine: { firmware: { ovmf } }, disks })).toEqual([
      'ID_DUPLICATE disks[0].id: the block node "pflash1" a second time; machine.firmware.ovmf has it; a name of its own for each block node',
    ]);
    expect(problems({ disks })).toEqual([]);
  });
});
