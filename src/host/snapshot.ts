import * as z from "zod";
import { type Diagnostic, failure, type Result, success } from "../errors/index.ts";
import { formatJson } from "./format-json.ts";
import { pciContradictions } from "./pci-contradictions.ts";
import type { Host } from "./topology.ts";

const count = z.int().nonnegative();
const id = z.int().min(-1);
const names = z.array(z.string());
const hexId = z.string().regex(/^[0-9a-f]{4}$/);
const pciAddress = z.string().regex(/^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/);
const linkNumbers = {
  maxSpeed: z.number().nonnegative(),
  maxWidth: count,
  speed: z.number().nonnegative(),
  width: count,
};

const pciFunction = z.strictObject({
  address: pciAddress,
  rootBus: z.string().regex(/^[0-9a-f]{4,8}:[0-9a-f]{2}$/),
  parent: z.exactOptional(pciAddress),
  kind: z.enum(["endpoint", "root-port", "upstream-port", "downstream-port", "bridge"]),
  class: z.string().regex(/^[0-9a-f]{6}$/),
  vendor: hexId,
  device: hexId,
  subsystem: z.exactOptional(z.strictObject({ vendor: hexId, device: hexId })),
  node: id,
  iommuGroup: z.exactOptional(count),
  driver: z.exactOptional(z.string()),
  bars: z.array(
    z.strictObject({
      index: z.int().min(0).max(6),
      sizeBytes: count,
      kind: z.enum(["io", "mem32", "mem64"]),
      prefetchable: z.boolean(),
    }),
  ),
  link: z.exactOptional(z.strictObject(linkNumbers)),
  physicalFunction: z.exactOptional(pciAddress),
  virtualFunctions: z.exactOptional(z.strictObject({ now: count, max: count })),
  acs: z.exactOptional(z.strictObject({ capability: count, control: count })),
  ats: z.exactOptional(z.boolean()),
  hostUse: z.exactOptional(z.string()),
});

/** The same shape as `Host`, which a test has the compiler compare. */
export const hostSchema = z.strictObject({
  version: z.literal(1),
  processor: z.strictObject({
    vendor: z.string(),
    model: z.string(),
    physicalAddressBits: z.int().min(32).max(64),
  }),
  cpus: z.array(
    z.strictObject({
      id: count,
      online: z.boolean(),
      node: id,
      socket: id,
      die: id,
      core: id,
      siblings: z.array(count),
      isolated: z.boolean(),
      tickless: z.exactOptional(z.boolean()),
      l3: z.exactOptional(count),
    }),
  ),
  share: z.exactOptional(z.strictObject({ cpus: z.array(count), nodes: z.array(count) })),
  nodes: z.array(
    z.strictObject({
      id: count,
      cpus: z.array(count),
      memoryBytes: count,
      freeBytes: count,
      reclaimableBytes: z.exactOptional(count),
      hugepages: z.array(z.strictObject({ pageSizeBytes: z.int().positive(), total: count, free: count })),
      distances: z.array(z.int().min(1).max(255)),
    }),
  ),
  kvm: z.strictObject({ usable: z.boolean(), reason: z.string(), untried: z.exactOptional(z.boolean()) }),
  qemu: z.exactOptional(
    z.strictObject({
      binary: z.string(),
      version: z.strictObject({ major: count, minor: count, micro: count, package: z.string() }),
      machines: z.array(
        z.strictObject({
          name: z.string(),
          alias: z.exactOptional(z.string()),
          cpuMax: z.int().positive(),
          deprecated: z.boolean(),
        }),
      ),
      devices: names,
      objects: names,
      commands: names,
      events: names,
      cpuModels: names,
    }),
  ),
  firmware: z.exactOptional(
    z.array(z.strictObject({ code: z.string(), vars: z.string(), secureBoot: z.boolean() })),
  ),
  pci: z.exactOptional(z.array(pciFunction)),
  iommu: z.exactOptional(
    z.strictObject({
      enabled: z.boolean(),
      vfioPci: z.enum(["loaded", "available", "absent"]),
      iommufd: z.boolean(),
      addressBits: z.exactOptional(z.int().min(32).max(64)),
    }),
  ),
});

/**
 * Reads what `writeSnapshot` wrote, perhaps on another machine, and checks that it fits together.
 * @returns the host, or every problem as HOST_SNAPSHOT with its path in the snapshot
 */
export function readSnapshot(text: string): Result<Host> {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    return failure([problem([], (error as SyntaxError).message, "JSON text")]);
  }
  return checkHost(data);
}

/** Whether it has the shape of a host and fits together. @returns the host, or every problem as HOST_SNAPSHOT */
export function checkHost(data: unknown): Result<Host> {
  const result = hostSchema.safeParse(data);
  if (!result.success) return failure(result.error.issues.map(describeIssue));
  const host: Host = result.data;
  const problems = contradictions(host);
  return problems.length > 0 ? failure(problems) : success(host);
}

/** The same host gives the same bytes. Nothing in it names the machine: no host name, serial number or boot id. */
export function writeSnapshot(host: Host): string {
  return `${formatJson(hostSchema.parse(host))}\n`;
}

function describeIssue(issue: z.core.$ZodIssue): Diagnostic {
  const path = issue.path.filter((step) => typeof step !== "symbol");
  if (issue.code === "unrecognized_keys") {
    return problem(path, `unknown key ${issue.keys.map((key) => `"${key}"`).join(", ")}`, "only known keys");
  }
  return problem(path, issue.message, "a host snapshot of format version 1");
}

/** What no host can be, in the order of the snapshot. */
function contradictions(host: Host): Diagnostic[] {
  const problems: Diagnostic[] = [];
  const cpuById = new Map(host.cpus.map((cpu) => [cpu.id, cpu]));
  const nodeIds = new Set(host.nodes.map((node) => node.id));
  if (host.cpus.length === 0) problems.push(problem(["cpus"], "no CPU", "at least one CPU"));
  if (host.nodes.length === 0) problems.push(problem(["nodes"], "no node", "at least one NUMA node"));
  problems.push(...unsorted("cpus", host.cpus), ...unsorted("nodes", host.nodes));
  for (const [index, cpu] of host.cpus.entries()) {
    if (!cpu.online) continue;
    if (!host.nodes.some((node) => node.id === cpu.node && node.cpus.includes(cpu.id))) {
      problems.push(
        problem(
          ["cpus", index, "node"],
          `CPU ${cpu.id} is not among the CPUs of node ${cpu.node}`,
          "its own node",
        ),
      );
    }
    if (!cpu.siblings.includes(cpu.id) || cpu.siblings.some((sibling) => !cpuById.has(sibling))) {
      problems.push(
        problem(["cpus", index, "siblings"], "siblings that do not fit", "itself and present CPUs"),
      );
    }
  }
  for (const [index, node] of host.nodes.entries()) {
    for (const id of node.cpus) {
      const cpu = cpuById.get(id);
      if (cpu?.online) continue;
      const found = `CPU ${id} is ${cpu === undefined ? "not present" : "offline"}`;
      problems.push(problem(["nodes", index, "cpus"], found, "online CPUs"));
    }
    if (node.distances.length !== nodeIds.size) {
      problems.push(
        problem(
          ["nodes", index, "distances"],
          `${node.distances.length} distances for ${nodeIds.size} nodes`,
          "one distance to each node",
        ),
      );
    }
  }
  for (const { path, found, needed } of pciContradictions(host)) problems.push(problem(path, found, needed));
  return problems;
}

function unsorted(key: "cpus" | "nodes", entries: readonly { readonly id: number }[]): Diagnostic[] {
  return entries.flatMap((entry, index) => {
    const before = entries[index - 1];
    if (before === undefined || before.id < entry.id) return [];
    return [problem([key, index, "id"], `${entry.id} after ${before.id}`, "each id once, in rising order")];
  });
}

function problem(path: Diagnostic["path"], found: string, needed: string): Diagnostic {
  return {
    code: "HOST_SNAPSHOT",
    severity: "error",
    path,
    found,
    needed,
    fix: "make the snapshot anew on the host: qlaunch host snapshot",
  };
}
