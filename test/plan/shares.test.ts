import { describe, expect, it } from "vitest";
import { device, plan, problems, values } from "./planning.ts";

const bare = { rng: false, guestAgent: false, consoles: [], pcie: { spareRootPorts: 0 } };
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
