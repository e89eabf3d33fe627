import { describe, expect, it } from "vitest";
import { device, plan, problems, values } from "./planning.ts";

const disk = (changes: object = {}) => ({ id: "d", file: "/d.img", format: "raw", ...changes });
const withDisks = (...disks: object[]) => plan({ disks, iothreads: ["io"] });
const nodes = (changes: object) => values(withDisks(disk(changes)), "blockdev");

describe("back ends", () => {
  it("are a node for the file and one for the format", () => {
    expect(nodes({ format: "qcow2", file: "/a,b = c.qcow2" })).toEqual([
      "driver=file,node-name=d.file,filename=/a,,b = c.qcow2,aio=native,discard=unmap,cache.direct=on,cache.no-flush=off",
      "driver=qcow2,node-name=d,file=d.file,discard=unmap,cache.direct=on,cache.no-flush=off",
    ]);
  });

  it("know block devices", () => expect(nodes({ file: "/dev/sdb" })[0]).toMatch(/^driver=host_device,/));

  it.each([
    [{ cache: "none" }, "aio=native", "cache.direct=on,cache.no-flush=off", "write-cache=on"],
    [{ cache: "writeback" }, "aio=threads", "cache.direct=off,cache.no-flush=off", "write-cache=on"],
    [{ cache: "writethrough" }, "aio=threads", "cache.direct=off,cache.no-flush=off", "write-cache=off"],
    [{ cache: "directsync" }, "aio=native", "cache.direct=on,cache.no-flush=off", "write-cache=off"],
    [{ cache: "unsafe" }, "aio=threads", "cache.direct=off,cache.no-flush=on", "write-cache=on"],
    [{ aio: "io_uring" }, "aio=io_uring", "cache.direct=on", "write-cache=on"],
  ])("cache as %j", (changes, aio, cache, writeCache) => {
    expect(nodes(changes)[0]).toContain(aio);
    expect(nodes(changes)[1]).toContain(cache);
    expect(device(withDisks(disk(changes)), "d")).toContain(writeCache);
  });

  it("are read-only for CDs, and where the profile says so", () => {
    expect(nodes({ device: "cdrom" })[1]).toContain("read-only=on");
    expect(nodes({ readOnly: true })[0]).toContain("read-only=on");
    expect(nodes({})[0]).not.toContain("read-only");
    expect(withDisks(disk({ readOnly: true })).run.files).toMatchObject([
      { path: "/d.img", access: "read", format: "raw" },
    ]);
  });
});

describe("front ends", () => {
  it.each([
    ["virtio-blk", "virtio-blk-pci,id=d,bus=rp-d,addr=0x0,drive=d,write-cache=on,num-queues=2"],
    ["nvme", "nvme,id=d,bus=rp-d,addr=0x0,drive=d,serial=d"],
    ["sata", "ide-hd,id=d,bus=ide.0,drive=d,write-cache=on"],
    ["cdrom", "ide-cd,id=d,bus=ide.0,drive=d"],
    ["virtio-scsi", "scsi-hd,id=d,bus=scsi0.0,scsi-id=0,lun=0,drive=d,write-cache=on"],
  ])("%s", (kind, expected) => expect(device(withDisks(disk({ device: kind })), "d")).toBe(expected));

  it("have their serial number, boot place, I/O thread and queues", () => {
    const planned = withDisks(disk({ serial: "A, B", boot: 3, iothread: "io", queues: 9 }));
    expect(device(planned, "d")).toContain(
      "bootindex=3,write-cache=on,serial=A,, B,iothread=io,num-queues=9",
    );
    expect(values(planned, "boot")).toEqual(["strict=on"]);
    expect(values(withDisks(disk()), "boot")).toEqual([]);
  });

  it("have a queue for each vCPU at boot: QEMU's default would count the one of -smp", () => {
    const queues = (boot: number) =>
      device(plan({ cpus: { boot }, disks: [disk()] }, { host: "anuma" }), "d");
    expect(queues(12)).toContain("num-queues=12");
    const scsi = plan({ cpus: { boot: 5 }, disks: [disk({ device: "virtio-scsi" })] });
    expect(device(scsi, "scsi0")).toContain("num_queues=5");
  });

  it("share a SCSI controller unless port, I/O thread or queues differ", () => {
    const scsi = (id: string, changes: object = {}) =>
      disk({ id, file: `/${id}`, device: "virtio-scsi", ...changes });
    const planned = withDisks(scsi("a"), scsi("b"), scsi("c", { iothread: "io" }), scsi("e", { queues: 7 }));
    const places = ["a", "b", "c", "e"].map((id) => /bus=(.*),lun/.exec(device(planned, id) ?? "")?.[1]);
    expect(places).toEqual([
      "scsi0.0,scsi-id=0",
      "scsi0.0,scsi-id=1",
      "scsi1.0,scsi-id=0",
      "scsi2.0,scsi-id=0",
    ]);
    expect(device(planned, "scsi2")).toContain("num_queues=7");
  });
});

describe("refused", () => {
  it.each([
    [
      { device: "sata", iothread: "io" },
      "DISK_COMBINATION disks[0].iothread: an I/O thread for a sata disk; virtio-blk or virtio-scsi",
    ],
    [{ iothread: "oi" }, 'ID_UNKNOWN disks[0].iothread: the I/O thread "oi"; one of io'],
    [
      { device: "nvme", queues: 2 },
      "DISK_COMBINATION disks[0].queues: queues for a nvme disk; virtio-blk or virtio-scsi",
    ],
    [
      { device: "cdrom", bus: "pcie.0" },
      "DISK_COMBINATION disks[0].bus: a PCIe port for a cdrom disk; no bus: it sits on the board's SATA controller",
    ],
    [
      { aio: "native", cache: "writeback" },
      'DISK_COMBINATION disks[0].aio: native I/O with cache writeback; cache "none" or "directsync", since native I/O bypasses the page cache',
    ],
    [
      { device: "cdrom", readOnly: false },
      "DISK_COMBINATION disks[0].readOnly: a writable CD drive; readOnly true",
    ],
  ])("%j", (changes, problem) => {
    expect(problems({ disks: [disk(changes)], iothreads: ["io"] })).toEqual([problem]);
  });

  it("a seventh SATA disk", () => {
    const disks = Array.from({ length: 7 }, (_, index) =>
      disk({ id: `d${index}`, file: `/${index}`, device: "sata" }),
    );
    expect(problems({ disks })).toEqual([
      "PCIE_BUS_FULL disks[6].device: d6 is SATA disk 7; 6 SATA disks and CD drives at most",
    ]);
  });

  it("a 257th disk of one SCSI controller", () => {
    const disks = Array.from({ length: 257 }, (_, index) =>
      disk({ id: `d${index}`, file: `/${index}`, device: "virtio-scsi" }),
    );
    expect(problems({ disks })).toEqual([
      "PCIE_BUS_FULL disks[256].device: d256 is SCSI disk 257 of its controller; 256 at most",
    ]);
  });
});
