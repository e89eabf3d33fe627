import { mkdirSync, writeFileSync } from "node:fs";

const folder = "/tmp/qlaunch-lab";

/** Writes a profile and gives its path. */
export function writeProfile(profile: { readonly name: string }): string {
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${profile.name}.json`;
  writeFileSync(path, JSON.stringify({ version: 1, machine: { accel: "kvm" }, ...profile }, undefined, 2));
  return path;
}

/** What makes a guest the probe guest, which answers questions about itself. */
export const probeGuest = {
  consoles: [{ type: "serial" }, { type: "channel", name: "org.qlaunch.probe.0" }],
  kernel: {
    image: `${process.cwd()}/profiles/.probe/vmlinux`,
    initrd: `${process.cwd()}/profiles/.probe/initrd.img`,
    cmdline: "console=ttyS0 quiet",
  },
};

/** A file to be a disk. */
export function writeImage(name: string, sizeBytes: number): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${name}`, new Uint8Array(sizeBytes));
  return `${folder}/${name}`;
}
