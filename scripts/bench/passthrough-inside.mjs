// Runs in the simulated HGX board: a start that takes devices from their drivers and gives them back, against the bare
// writes to sysfs and the bare QEMU of the same command line. Prints a line of JSON for 1, 8 and 21 devices.
// Usage: scripts/bench/passthrough-inside.mjs RUNS
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planArgv, planProfile, realSystem, startProfile, stopVm } from "../../dist/lib/index.js";
import { bareStart } from "./bare-start.mjs";
import { time } from "./statistics.mjs";

const runs = Number(process.argv[2] ?? 3);
const root = mkdtempSync(join(tmpdir(), "qlaunch-bench-"));
const system = {
  ...realSystem,
  user: { ...realSystem.user, environment: { ...process.env, QLAUNCH_RUN_DIR: root } },
};
const name = "bench-passthrough";
const emit = () => {};
const never = new AbortController().signal;

const sysfs = "/sys/bus/pci/devices";
const bridge = "0x0604";
/** The simulated host's own disks and ports, its root file system among them. */
const virtio = "0x1af4";
const textOf = (address, name) => readFileSync(`${sysfs}/${address}/${name}`, "utf8").trim();
const devices = readdirSync(sysfs).filter(
  (address) =>
    !address.startsWith("0000:00:") &&
    !textOf(address, "class").startsWith(bridge) &&
    textOf(address, "vendor") !== virtio,
);

const driverOf = (address) => {
  const link = `${sysfs}/${address}/driver`;
  return existsSync(link) ? readlinkSync(link).split("/").at(-1) : undefined;
};

function bind(addresses) {
  const drivers = addresses.map(driverOf);
  for (const address of addresses) {
    writeFileSync(`${sysfs}/${address}/driver_override`, "vfio-pci");
    if (driverOf(address)) writeFileSync(`${sysfs}/${address}/driver/unbind`, address);
    writeFileSync("/sys/bus/pci/drivers_probe", address);
  }
  return drivers;
}

function giveBack(addresses, drivers) {
  for (const [index, address] of addresses.entries()) {
    writeFileSync(`${sysfs}/${address}/driver/unbind`, address);
    writeFileSync(`${sysfs}/${address}/driver_override`, "\n");
    if (drivers[index]) writeFileSync("/sys/bus/pci/drivers_probe", address);
  }
}

function writeProfile(count) {
  const file = join(root, ".profile.json");
  const profile = {
    version: 1,
    name,
    machine: { accel: "kvm" },
    cpus: { boot: 2, model: "host" },
    memory: { size: "256M" },
    passthrough: { devices: devices.slice(0, count).map((address) => ({ address })) },
  };
  writeFileSync(file, JSON.stringify(profile));
  return file;
}

async function measure(count) {
  const profileFile = writeProfile(count);
  const request = { profileFile, mayStart: true };
  const { plan } = await planProfile(system, request);
  const argv = planArgv(plan);
  const chosen = devices.slice(0, count);
  const [ours, floor] = [[], []];
  for (let run = -1; run < runs; run++) {
    const a = await time(async () => {
      await startProfile(system, { profileFile, paused: true, emit, signal: never, version: "bench" });
      await stopVm(system, name, { force: true });
    });
    mkdirSync(join(root, name, "qemu"), { recursive: true });
    const b = await time(async () => {
      const drivers = bind(chosen);
      await bareStart(plan.program, argv);
      giveBack(chosen, drivers);
    });
    rmSync(join(root, name), { recursive: true });
    if (run < 0) continue;
    ours.push(a);
    floor.push(b);
  }
  console.log(JSON.stringify({ devices: count, ours, floor }));
}

execFileSync("modprobe", ["--all", "e1000e", "nvme", "vfio-pci"]);
try {
  for (const count of [1, 8, devices.length]) await measure(count);
} finally {
  rmSync(root, { recursive: true, force: true });
}
