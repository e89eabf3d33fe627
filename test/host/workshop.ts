import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { realSystem, type System } from "../../src/system/index.ts";

/** A folder of the test's own and the real machine, whose caches are in it and whose PATH finds no QEMU. */
export function workshop(environment: Record<string, string> = {}): {
  folder: string;
  system: System;
  program(name: string, script: string): string;
} {
  const folder = mkdtempSync(join(tmpdir(), "qlaunch-host-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const user = { ...realSystem.user, environment: { XDG_CACHE_HOME: join(folder, "cache"), ...environment } };
  return {
    folder,
    system: { ...realSystem, user },
    program(name, script) {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\n${script}\n`);
      chmodSync(path, 0o755);
      return path;
    },
  };
}

/** The same machine, but with a CPU that shows vmx and a /dev/kvm that opens. */
export function withVirtualization(system: System, bootId = "first boot"): System {
  const { files } = system;
  return {
    ...system,
    files: {
      ...files,
      readStart: (path, bytes) =>
        path === "/proc/cpuinfo" ? Buffer.from("flags\t\t: fpu vmx\n") : files.readStart(path, bytes),
      tryReadText: (path) =>
        path === "/proc/sys/kernel/random/boot_id" ? `${bootId}\n` : files.tryReadText(path),
      facts: (path, options) => files.facts(path === "/dev/kvm" ? "/dev/null" : path, options),
      opens: (path) => path === "/dev/kvm" || files.opens(path),
    },
  };
}
