import { describe, expect, it } from "vitest";
import { device, plan, values } from "./planning.ts";

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
