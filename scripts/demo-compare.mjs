// Puts what the probe guest sees beside what was planned, and ends with status 1 where they differ.
// Usage: scripts/demo-compare.mjs PLAN REPORT       PLAN from `qlaunch plan --format json`, REPORT from probe-report.mjs
//        scripts/demo-compare.mjs --socket PLAN     prints the path of the probe's socket instead
import { readFileSync } from "node:fs";

const probePort = "org.qlaunch.probe.0";
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** The socket of the chardev behind the probe's virtio-serial port, read from the planned command line. */
function probeSocket({ argv }) {
  const properties = (token) => {
    if (token.startsWith("{")) return JSON.parse(token);
    return Object.fromEntries(token.split(",").map((part) => part.split(/=(.*)/s).slice(0, 2)));
  };
  const after = (option) =>
    argv.flatMap((token, index) => (argv[index - 1] === option ? [properties(token)] : []));
  const port = after("-device").find((device) => device.name === probePort);
  return after("-chardev").find((chardev) => chardev.id === port?.chardev)?.path;
}

/** "0-3,8" of [0, 1, 2, 3, 8]. */
function idList(ids) {
  const ranges = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && id === last[1] + 1) last[1] = id;
    else ranges.push([id, id]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

/** The guest's device for a planned one, found by bus and slot. Numbers of the buses below ports are the guest's own. */
function guestDevice(planned, plan, report) {
  const hex = (number) => number.toString(16).padStart(2, "0");
  const place = `${hex(planned.slot)}.${planned.function}`;
  if (planned.bus === "pcie.0") return report.pci.find(({ address }) => address === `0000:00:${place}`);
  const parent = plan.devices.find(({ id }) => id === planned.bus);
  if (parent?.busNr !== undefined) {
    return report.pci.find(({ address }) => address === `0000:${hex(parent.busNr)}:${place}`);
  }
  const port = parent && guestDevice(parent, plan, report);
  return (
    port && report.pci.find((found) => found.parent === port.address && found.address.endsWith(`:${place}`))
  );
}

/** The kernel keeps some of a node's memory for itself before it counts. */
const memoryFits = (plannedBytes, guestKiB) =>
  guestKiB * 1024 <= plannedBytes && guestKiB * 1024 >= plannedBytes * 0.7;

function nodeRows(plan, report) {
  return plan.placement.cells.map((cell) => {
    const node = report.nodes.find(({ id }) => id === cell.id);
    const booted = cell.vcpus.filter(
      (id) => plan.placement.vcpus.find((vcpu) => vcpu.id === id)?.boot !== false,
    );
    const planned = { cpus: idList(booted), distances: cell.distances?.join(" ") ?? "" };
    const seen = { cpus: node?.cpus ?? "", distances: node?.distances.join(" ") ?? "" };
    const same =
      node !== undefined &&
      seen.cpus === planned.cpus &&
      (planned.distances === "" || seen.distances === planned.distances) &&
      memoryFits(cell.memoryBytes, node.memoryKiB);
    const mebibytes = (bytes) => `${Math.round(bytes / 1024 ** 2)} MiB`;
    return [
      `${cell.id}`,
      ...[planned.cpus, seen.cpus, planned.distances, seen.distances],
      ...[mebibytes(cell.memoryBytes), node ? mebibytes(node.memoryKiB * 1024) : ""],
      same ? "yes" : "NO",
    ];
  });
}

/** An expander bus shows in the guest as a root bus: its place and node are those of what hangs on it. */
function expanderBus({ busNr }, report) {
  const bus = `0000:${busNr.toString(16).padStart(2, "0")}`;
  const below = report.pci.find(({ address }) => address.startsWith(`${bus}:`));
  return below && { ...below, address: bus, kind: "root bus" };
}

function deviceRows(plan, report) {
  return plan.devices.map((planned) => {
    const found =
      planned.busNr === undefined ? guestDevice(planned, plan, report) : expanderBus(planned, report);
    const node = planned.numaNode === undefined ? "-" : `${planned.numaNode}`;
    const seenNode = found === undefined ? "" : found.numaNode < 0 ? "-" : `${found.numaNode}`;
    return [
      ...[planned.id, planned.driver, planned.bus],
      ...[
        found?.address ?? "",
        found?.kind ?? (found ? `${found.vendor.slice(2)}:${found.device.slice(2)}` : ""),
      ],
      ...[node, seenNode, node === seenNode ? "yes" : "NO"],
    ];
  });
}

function table(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (row) =>
    `  ${row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd()}\n`;
  process.stdout.write(`\n${[head, ...rows].map(line).join("")}`);
}

const [first, second] = process.argv.slice(2);
if (first === "--socket") {
  const socket = probeSocket(readJson(second));
  if (socket === undefined) throw new Error(`the plan has no virtio-serial port named ${probePort}`);
  process.stdout.write(`${socket}\n`);
} else {
  const plan = readJson(first);
  const report = readJson(second);
  const nodes = nodeRows(plan, report);
  const devices = deviceRows(plan, report);
  table(["node", "cpus", "guest", "distances", "guest", "memory", "guest", "same"], nodes);
  table(["device", "driver", "bus", "guest", "id", "node", "guest", "same"], devices);
  const different = [...nodes, ...devices].filter((row) => row.at(-1) === "NO").length;
  const verdict =
    different === 0 ? "The guest sees what was planned." : `Not as planned: ${different} of the rows above.`;
  process.stdout.write(`\n${verdict} Linux ${report.kernel}, up ${report.uptimeSeconds} s.\n`);
  process.exitCode = different === 0 ? 0 : 1;
}
