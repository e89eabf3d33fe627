import { describe, expect, it } from "vitest";
import { device, plan, problems, values } from "./planning.ts";

const bare = { rng: false, guestAgent: false, consoles: [], pcie: { spareRootPorts: 0 } };
const lines = (changes: object) =>
  values(plan({ ...bare, ...changes }), "device").filter((line) => !line.includes("-cpu,"));

it("has nothing that the profile does not want", () => {
  expect(lines({})).toEqual([]);
  expect(values(plan(bare), "object")).toHaveLength(1);
});

describe("small devices", () => {
  it("random numbers", () => {
    const planned = plan({ ...bare, rng: { source: "/dev/hw,rng", bus: "pcie.0" } });
    expect(values(planned, "object")).toContain("rng-random,id=rng0-source,filename=/dev/hw,,rng");
    expect(device(planned, "rng0")).toBe("virtio-rng-pci,id=rng0,bus=pcie.0,addr=0x1,rng=rng0-source");
    expect(values(plan(), "object")).toContain("rng-random,id=rng0-source,filename=/dev/urandom");
  });

  it("a balloon", () => {
    expect(lines({ balloon: true })[1]).toBe(
      "virtio-balloon-pci,id=balloon0,bus=rp-balloon0,addr=0x0,deflate-on-oom=on",
    );
    const balloon = { deflateOnOom: false, freePageReporting: true };
    expect(lines({ balloon })[1]).toMatch(/deflate-on-oom=off,free-page-reporting=on$/);
  });

  it("a socket to the host", () => {
    expect(lines({ vsock: { cid: 42 } })[1]).toBe(
      "vhost-vsock-pci,id=vsock0,bus=rp-vsock0,addr=0x0,guest-cid=42",
    );
  });

  it("a watchdog of the board, or a card", () => {
    const board = plan({ ...bare, watchdog: { action: "poweroff" } });
    expect(values(board, "global")).toEqual(["driver=ICH9-LPC,property=noreboot,value=off"]);
    expect(values(board, "action")).toEqual(["watchdog=poweroff"]);
    expect(lines({ watchdog: { model: "i6300esb" } })).toEqual(["i6300esb,id=watchdog0,bus=pcie.0,addr=0x1"]);
  });

  it("USB, with a tablet", () => {
    expect(lines({ usb: { tablet: true } }).slice(1)).toEqual([
      "qemu-xhci,id=usb0,bus=rp-usb0,addr=0x0",
      "usb-tablet,id=tablet0,bus=usb0.0",
    ]);
    expect(lines({ usb: true })).toHaveLength(2);
  });

  it("a display on a socket of its own, or none", () => {
    expect(values(plan(bare), "display")).toEqual(["none"]);
    const planned = plan({ ...bare, display: { vnc: {} } });
    expect(values(planned, "vnc")).toEqual(["unix:/run/qlaunch/vm/qemu/vnc.sock"]);
    expect(lines({ display: { vnc: {} } })).toEqual(["VGA,id=video0,bus=pcie.0,addr=0x1"]);
    expect(lines({ display: { vnc: { video: "virtio" } } })[0]).toMatch(/^virtio-vga,/);
  });

  it("I/O threads", () => {
    expect(values(plan({ ...bare, iothreads: ["a", "b"] }), "object").slice(1)).toEqual([
      "iothread,id=a",
      "iothread,id=b",
    ]);
  });
});

it("a TPM is a program beside QEMU, with its state in the VM's folder or the profile's", () => {
  const planned = plan({ ...bare, tpm: {} });
  expect(values(planned, "chardev")).toContain("socket,id=tpm,path=/run/qlaunch/vm/qemu/tpm.sock");
  expect(values(planned, "tpmdev")).toEqual(["emulator,id=tpm-backend,chardev=tpm"]);
  expect(planned.run.helpers).toMatchObject([
    { id: "tpm", programs: ["swtpm"], socket: "/run/qlaunch/vm/qemu/tpm.sock" },
  ]);
  expect(planned.run.helpers[0]?.arguments).toContain("dir=/run/qlaunch/vm/qemu");
  const kept = plan({ ...bare, tpm: { state: "/tpm" } });
  expect(kept.run.helpers[0]?.arguments).toContain("dir=/tpm");
  expect(kept.run.files).toMatchObject([{ path: "/tpm", kind: "directory", access: "write" }]);
});

describe("consoles", () => {
  it("end in sockets of the VM's own; what is written to them is logged", () => {
    const planned = plan({
      ...bare,
      consoles: [{ type: "serial" }, { type: "virtio", id: "hvc" }, { type: "channel", name: "org.x.0" }],
    });
    expect(values(planned, "chardev").slice(3)).toEqual([
      "socket,id=serial0-chardev,path=/run/qlaunch/vm/qemu/serial0.sock,server=on,wait=off,logfile=/run/qlaunch/vm/qemu/serial0.log,logappend=on",
      "socket,id=hvc-chardev,path=/run/qlaunch/vm/qemu/hvc.sock,server=on,wait=off,logfile=/run/qlaunch/vm/qemu/hvc.log,logappend=on",
      "socket,id=channel0-chardev,path=/run/qlaunch/vm/qemu/channel0.sock,server=on,wait=off",
    ]);
    expect(device(planned, "serial0")).toBe("isa-serial,id=serial0,chardev=serial0-chardev,index=0");
    expect(device(planned, "hvc")).toBe("virtconsole,id=hvc,bus=vserial.0,chardev=hvc-chardev");
    expect(device(planned, "channel0")).toBe(
      "virtserialport,id=channel0,bus=vserial.0,chardev=channel0-chardev,name=org.x.0",
    );
    expect(planned.run.consoles.map(({ id, type, name }) => [id, type, name])).toEqual([
      ["serial0", "serial", undefined],
      ["hvc", "virtio", undefined],
      ["channel0", "channel", "org.x.0"],
    ]);
  });

  it("need no controller for serial ports alone", () => {
    expect(lines({ consoles: [{ type: "serial" }] })).toHaveLength(1);
    expect(lines({ guestAgent: true }).at(-1)).toBe(
      "virtserialport,id=agent,bus=vserial.0,chardev=agent-chardev,name=org.qemu.guest_agent.0",
    );
  });

  it.each([
    [
      [{ type: "serial", name: "x" }],
      "PROFILE_VALUE consoles[0].name: a name for a serial console; a name for channels only",
    ],
    [
      [{ type: "channel" }],
      "PROFILE_MISSING_KEY consoles[0]: a channel without a name; the port's name in the guest",
    ],
    [Array(5).fill({ type: "serial" }), "PCIE_BUS_FULL consoles[4]: serial port 5; 4 serial ports at most"],
  ])("%j are refused", (consoles, problem) => expect(problems({ consoles })).toEqual([problem]));
});

describe("shared folders", () => {
  it("by 9p are QEMU's own", () => {
    const planned = plan({
      ...bare,
      filesystems: [{ id: "src", type: "9p", path: "/a,b", readOnly: true, securityModel: "none", tag: "t" }],
    });
    expect(values(planned, "fsdev")).toEqual([
      "local,id=src-fsdev,path=/a,,b,security_model=none,readonly=on,multidevs=remap",
    ]);
    expect(device(planned, "src")).toBe(
      "virtio-9p-pci,id=src,bus=rp-src,addr=0x0,fsdev=src-fsdev,mount_tag=t",
    );
    expect(planned.run.files).toMatchObject([{ path: "/a,b", access: "read", kind: "directory" }]);
  });

  it("by virtiofs are a program's beside it", () => {
    const planned = plan({ ...bare, filesystems: [{ id: "home", path: "/home" }] });
    expect(device(planned, "home")).toBe(
      "vhost-user-fs-pci,id=home,bus=rp-home,addr=0x0,chardev=home-fs,tag=home",
    );
    expect(planned.run.helpers).toMatchObject([
      { id: "home", arguments: ["--socket-path=/run/qlaunch/vm/qemu/home.fs.sock", "-o", "source=/home"] },
    ]);
  });

  it.each([
    [
      { readOnly: true },
      "SHARE_COMBINATION filesystems[0].readOnly: a read-only virtiofs folder; 9p, which can refuse writes: not every virtiofsd does",
    ],
    [
      { path: "/a,b" },
      "SHARE_COMBINATION filesystems[0].path: a virtiofs folder with a comma or backslash in its path: /a,b; a path that virtiofsd's options can carry",
    ],
  ])("by virtiofs with %j are refused", (changes, problem) => {
    expect(problems({ filesystems: [{ id: "f", path: "/f", ...changes }] })).toEqual([problem]);
  });
});
