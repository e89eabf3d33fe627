import type { QmpClient } from "../qmp/index.ts";
import type { System } from "../system/index.ts";
import { askQemu, QemuSilent } from "./ask-qemu.ts";
import type { Cache } from "./cache.ts";
import type { ProcessorReading } from "./processor.ts";
import type { QemuBinary } from "./qemu-binary.ts";
import type { KvmFacts } from "./topology.ts";

/** How long firmware may take to its first milestone; 0.05 s is usual, nested in another guest 0.3 s. */
const firmwareLimitMs = 5000;

/** What can be said without starting anything: undefined when only a trial can tell. */
export function whyNotKvm(system: System, reading: ProcessorReading): string | undefined {
  if (system.files.facts("/dev/kvm") === undefined) {
    return "/dev/kvm does not exist: the kernel module kvm_intel or kvm_amd is not loaded, or the firmware has virtualization off";
  }
  if (!system.files.opens("/dev/kvm")) {
    return "/dev/kvm does not open for this user: it takes membership in its group (usually kvm) or root";
  }
  if (reading.virtualization === undefined) {
    return "/dev/kvm opens, but the CPU shows neither vmx nor svm in /proc/cpuinfo, so guests may not run";
  }
  return undefined;
}

/** Whether QEMU was seen to run a guest with KVM since this machine started. */
export function cachedKvm(system: System, cache: Cache, binary: QemuBinary): boolean {
  return cache.get(subjectOf(binary), keyOf(system, binary)) === true;
}

/** Starts a guest that has only firmware. A success is kept until the machine or QEMU changes; a failure may pass. */
export async function tryKvm(system: System, cache: Cache, binary: QemuBinary): Promise<KvmFacts> {
  const reason = await tryAccelerator(system, binary.path, "kvm");
  if (reason !== undefined) return { usable: false, reason };
  cache.set(subjectOf(binary), keyOf(system, binary), true);
  return { usable: true, reason: "" };
}

/**
 * /dev/kvm that opens proves little: nested or half-emulated KVM makes VMs whose vCPUs never run. So a guest is
 * started, and its firmware must get as far as giving the PCI devices their addresses.
 * @returns why it does not work, or undefined when it does
 */
export async function tryAccelerator(
  system: System,
  program: string,
  accelerator: "kvm" | "tcg",
  limitMs: number = firmwareLimitMs,
): Promise<string | undefined> {
  const model = accelerator === "kvm" ? "host" : "max";
  // A guest that crashes at once would restart for ever; this way QEMU ends.
  const machine = ["-machine", `q35,accel=${accelerator}`, "-cpu", model, "-m", "64", "-no-reboot", "-S"];
  try {
    const watch = (client: QmpClient) => watchFirmware(system, client, limitMs);
    return await askQemu(system, program, machine, watch, limitMs);
  } catch (error) {
    if (!(error instanceof QemuSilent)) throw error;
    return `QEMU does not run a guest with it: ${error.message}`;
  }
}

async function watchFirmware(
  system: System,
  client: QmpClient,
  limitMs: number,
): Promise<string | undefined> {
  await client.execute("cont");
  const deadlineMs = system.clock.elapsedMs() + limitMs;
  do {
    const [{ running, status }, buses] = await Promise.all([
      client.execute("query-status"),
      client.execute("query-pci"),
    ]);
    if (!running) return `QEMU starts a guest with it, and the guest stops at once (${status})`;
    // An address of -1 is none; the SATA controller that every q35 has is given one early.
    const regions = buses.flatMap((bus) => bus.devices).flatMap((device) => device.regions);
    if (regions.some((region) => region.address >= 0)) return undefined;
    await system.clock.sleep(10);
  } while (system.clock.elapsedMs() < deadlineMs);
  return `QEMU starts a guest with it, and its firmware gets nowhere within ${limitMs / 1000} s`;
}

function subjectOf(binary: QemuBinary): string {
  return `kvm ${binary.identity.realPath}`;
}

function keyOf(system: System, binary: QemuBinary): unknown {
  return [binary.identity, system.files.tryReadText("/proc/sys/kernel/random/boot_id")?.trim()];
}
