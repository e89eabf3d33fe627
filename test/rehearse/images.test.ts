import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { needsLoader } from "../../src/rehearse/busybox.ts";
import { ensureImages, findImages, findKernel } from "../../src/rehearse/index.ts";
import { kernelPayload } from "../../src/rehearse/kernel.ts";
import { moduleFiles, partialIndex } from "../../src/rehearse/modules.ts";
import { realSystem, type System } from "../../src/system/index.ts";

describe("modules", () => {
  const dep = [
    "kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko kernel/fs/netfs.ko",
    "kernel/net/9p/9pnet.ko:",
    "kernel/fs/netfs.ko:",
    "kernel/kvm-amd.ko: kernel/kvm.ko kernel/irqbypass.ko",
    "kernel/kvm.ko: kernel/irqbypass.ko",
    "kernel/irqbypass.ko:",
    "",
  ].join("\n");
  const builtin = "kernel/fs/overlayfs/overlay.ko\n";

  it("are loaded after what they need, once each, by either spelling", () => {
    expect(moduleFiles({ dep, builtin }, ["9p", "kvm_amd", "9p"])).toEqual({
      files: [
        ...["kernel/fs/netfs.ko", "kernel/net/9p/9pnet.ko", "kernel/fs/9p/9p.ko.xz"],
        ...["kernel/irqbypass.ko", "kernel/kvm.ko", "kernel/kvm-amd.ko"],
      ],
      missing: [],
    });
  });

  it("may be part of the kernel itself; others are missing", () => {
    expect(moduleFiles({ dep, builtin }, ["overlay", "vfio-pci"])).toEqual({
      files: [],
      missing: ["vfio-pci"],
    });
  });

  it("have an index of their own, without those left out and without compression", () => {
    const alias = "# Aliases\nalias virtio:d00000009v* 9pnet_virtio\nalias fs-9p 9p\nalias cpu:* kvm_amd\n";
    expect(partialIndex(dep, alias, ["kernel/fs/9p/9p.ko.xz", "kernel/kvm-amd.ko"])).toEqual({
      dep: "kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs.ko\nkernel/kvm-amd.ko: kernel/kvm.ko kernel/irqbypass.ko\n",
      alias: "alias fs-9p 9p\nalias cpu:* kvm_amd\n",
    });
  });
});

/** A bzImage of two sectors of set-up code with a packed kernel behind it. */
function bzImage(payload: Buffer): Buffer {
  const image = Buffer.concat([Buffer.alloc(3 * 512), Buffer.from("head"), payload]);
  image[0x1f1] = 2;
  image.write("HdrS", 0x202, "latin1");
  image.writeUInt32LE(4, 0x248);
  image.writeUInt32LE(payload.length, 0x24c);
  return image;
}

const sizeBehind = Buffer.from([1, 2, 3, 4]);
const xz = (text: string) => execFileSync("xz", ["-c"], { input: text });

describe("a kernel's image", () => {
  it("is taken apart where its head says", () => {
    const packed = xz("the kernel");
    expect(kernelPayload(bzImage(Buffer.concat([packed, sizeBehind])))).toEqual({
      format: "xz",
      bytes: packed,
    });
  });

  it("that is packed in another way, or is no bzImage, stays whole", () => {
    expect(kernelPayload(bzImage(Buffer.from("LZO......")))).toBeUndefined();
    expect(kernelPayload(Buffer.alloc(4096))).toBeUndefined();
    expect(kernelPayload(Buffer.from("HdrS"))).toBeUndefined();
  });
});

describe("busybox", () => {
  it("runs alone, unlike a program with a loader", () => {
    expect(needsLoader(readFileSync(process.execPath))).toBe(true);
    expect(needsLoader(Buffer.from("#!/bin/sh\n"))).toBe(true);
    const path = realSystem.processes.find("busybox");
    expect(path && needsLoader(readFileSync(path))).toBe(false);
  });
});

describe("images", () => {
  let folder: string;
  let system: System;
  let made: number;
  const making = () => {
    made++;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "qlaunch-images-"));
    system = {
      ...realSystem,
      user: { ...realSystem.user, environment: { QLAUNCH_CACHE: join(folder, "cache") } },
    };
    made = 0;
    writeKernel(moduleNames);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const moduleNames = (
    "virtio_pci 9p 9pnet_virtio overlay virtio_console kvm-amd vfio-pci vfio_iommu_type1 virtio_blk virtio_net " +
    "virtio_scsi virtio_rng virtio_balloon virtio_mem vmw_vsock_virtio_transport virtiofs nvme ahci sd_mod sr_mod e1000e " +
    "qemu_fw_cfg i6300esb button evdev"
  ).split(" ");
  const kernelFolder = () => join(folder, "kernel");
  const write = (path: string, content: string | Buffer) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  const writeKernel = (names: readonly string[]) => {
    write("kernel/boot/vmlinuz-6.1.0", bzImage(Buffer.concat([xz("unpacked kernel"), sizeBehind])));
    for (const name of names) write(`kernel/lib/modules/6.1.0/kernel/${name}.ko.xz`, xz(`module ${name}`));
    write("kernel/lib/modules/6.1.0/modules.dep", names.map((name) => `kernel/${name}.ko.xz:\n`).join(""));
  };
  const find = (kernel?: string) => findImages(system, kernel, making);

  it("are made once from a kernel, and unpacked", async () => {
    const images = await find(kernelFolder());
    expect(readFileSync(images.kernel, "utf8")).toBe("unpacked kernel");
    expect(readFileSync(images.guestInitrd, "latin1")).toContain("module nvme");
    expect(readFileSync(images.hostInitrd, "latin1")).toContain(`${kernelFolder()}/lib/modules/6.1.0\n`);
    expect(await find(kernelFolder())).toEqual(images);
    expect(made).toBe(1);
    expect(readdirSync(tmpdir()).filter((name) => /^qlaunch-[0-9a-f]{8}-/.test(name))).toEqual([]);
  });

  it("are made anew when the kernel has changed", async () => {
    await find(kernelFolder());
    utimesSync(join(folder, "kernel/boot/vmlinuz-6.1.0"), 1, 1);
    await find(kernelFolder());
    expect(made).toBe(2);
  });

  it("that were made before for all are taken, unless the modules of their kernel are gone", async () => {
    const kernel = findKernel(system, kernelFolder());
    write("agent", "the agent");
    const guestFiles = [{ source: join(folder, "agent"), target: "/bin/qemu-ga" }];
    const images = await ensureImages(system, { folder: join(folder, "cache"), kernel, guestFiles, making });
    expect(readFileSync(images.guestInitrd, "latin1")).toContain("the agent");
    expect(await find()).toEqual(images);
    rmSync(join(folder, "kernel/lib"), { recursive: true });
    await expect(find()).rejects.toThrow("REHEARSE_IMAGES");
    expect(made).toBe(1);
  });

  it("of another program's making are left alone, and not taken", async () => {
    const images = await find(kernelFolder());
    const stamp = join(dirname(dirname(images.kernel)), "images.json");
    writeFileSync(stamp, readFileSync(stamp, "utf8").replace(/"programs":"./, '"programs":"x'));
    await find(kernelFolder());
    expect(made).toBe(2);
  });

  it("without a kernel, or one that lacks what is needed, are refused with what to do", async () => {
    await expect(find(join(folder, "nothing"))).rejects.toThrow(
      `${folder}/nothing has no kernel with its modules`,
    );
    rmSync(kernelFolder(), { recursive: true });
    writeKernel(moduleNames.filter((name) => !["vfio-pci", "9p"].includes(name)));
    await expect(find(kernelFolder())).rejects.toThrow("kernel 6.1.0 has no 9p, vfio_pci");
    rmSync(join(kernelFolder(), "lib/modules/6.1.0/modules.dep"));
    await expect(find(kernelFolder())).rejects.toThrow("has no modules.dep");
    expect(existsSync(join(folder, "cache/kernels"))).toBe(true);
  });

  it("need their programs", async () => {
    const processes = {
      ...system.processes,
      find: (name: string) => (name === "xz" ? undefined : realSystem.processes.find(name)),
    };
    await expect(findImages({ ...system, processes }, kernelFolder(), making)).rejects.toThrow(
      "HOST_PROGRAM_MISSING: xz is not in PATH",
    );
  });
});
