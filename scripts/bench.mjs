// What qlaunch costs beside the bare thing, as ratios measured in one run: quote these, never single times.
// Usage: npm run bench [-- --runs N] [-- --json] [-- --qemu PROGRAM] [-- --without-lab] [-- --output FOLDER]
// --output also writes bench.md and bench.json into a folder. Where libvirt is installed, the same guest is its work too.
// --without-lab leaves out the cost of passed-through devices, which takes minutes on a simulated host.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchLibvirt } from "./bench/libvirt.mjs";
import { benchMemory } from "./bench/memory.mjs";
import { benchPassthrough } from "./bench/passthrough.mjs";
import { benchPinning } from "./bench/pinning.mjs";
import { benchPlacement } from "./bench/placement.mjs";
import { benchPlan } from "./bench/plan.mjs";
import { benchDevicePlans } from "./bench/plan-devices.mjs";
import { benchPreallocation } from "./bench/preallocation.mjs";
import { missingPrograms } from "./bench/private-libvirtd.mjs";
import { tableOf } from "./bench/table.mjs";
import { benchUp } from "./bench/up.mjs";
import { benchVcpuRemoval } from "./bench/vcpu-removal.mjs";
import { benchVcpus } from "./bench/vcpus.mjs";
import { benchVersion } from "./bench/version.mjs";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "9" },
    qemu: { type: "string", default: process.env.QLAUNCH_QEMU ?? "qemu-system-x86_64" },
    json: { type: "boolean", default: false },
    "without-lab": { type: "boolean", default: false },
    output: { type: "string" },
  },
});
const runs = Number(values.runs);
const progress = (text) => process.stderr.write(`${text} ...\n`);

progress("start-up of --version");
const rows = [await benchVersion(runs)];
progress("planning");
rows.push(...(await benchPlan(runs)));
rows.push(...(await benchDevicePlans(runs)));
progress("placing streams of guests");
rows.push(...(await benchPlacement(runs)));
progress("up --paused against the bare start");
rows.push(await benchUp(runs, values.qemu));
progress("pinning");
rows.push(await benchPinning(runs, values.qemu));
progress("preallocated memory");
rows.push(await benchPreallocation(runs, values.qemu));
progress("vCPUs of a running guest");
rows.push(...(await benchVcpus(runs, values.qemu)));
progress("vCPUs that a booted guest gives up");
rows.push(...(await benchVcpuRemoval(runs, values.qemu)));
progress("memory of a running guest");
rows.push(...(await benchMemory(runs, values.qemu)));
progress("the same work by libvirt");
rows.push(...(await benchLibvirt(runs, values.qemu)));
if (!values["without-lab"]) {
  progress("devices of a simulated HGX board");
  rows.push(...(await benchPassthrough(Math.min(runs, 3))));
}

const firstLine = (...command) =>
  execFileSync(command[0], command.slice(1), { encoding: "utf8" }).split("\n")[0];
const versions = {
  qlaunch: firstLine("dist/qlaunch", "--version"),
  node: process.version,
  qemu: firstLine(values.qemu, "--version"),
  ...(missingPrograms().length === 0 ? { libvirt: firstLine("virsh", "--version") } : {}),
  runs,
};
const json = JSON.stringify({ versions, rows }, null, 2);
const table = tableOf(rows, versions);
if (values.output !== undefined) {
  mkdirSync(values.output, { recursive: true });
  writeFileSync(join(values.output, "bench.json"), `${json}\n`);
  writeFileSync(join(values.output, "bench.md"), `${table}\n`);
}
console.log(values.json ? json : table);
