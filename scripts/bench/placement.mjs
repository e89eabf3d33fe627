import { readFileSync } from "node:fs";
import { importTypeScript } from "../import-typescript.mjs";
import { places } from "./places.mjs";
import { compare, median } from "./statistics.mjs";

const gib = 2 ** 30;

/**
 * Streams of guests that come and go on recorded and made-up hosts, placed by qlaunch, by the first free CPUs, and by
 * vCPU number modulo the host's CPUs: how many come before the first is turned away, and how well they lie. The bound
 * has one pool of CPUs and memory, which nothing can beat.
 */
export async function benchPlacement(runs) {
  const { planVm } = await importTypeScript("src/plan/planner.ts");
  const { scorePlan } = await importTypeScript("src/plan/score.ts");
  const { profileSchema } = await importTypeScript("src/profile/schema.ts");
  const recorded = (name) =>
    JSON.parse(readFileSync(new URL(`../../test/hosts/${name}.json`, import.meta.url), "utf8"));
  const hosts = [
    ["4 nodes x 30 CPUs", recorded("ol8")],
    ["8 nodes x 30 CPUs", recorded("anuma")],
    ["HGX board", recorded("hgx-h200")],
    ["16 nodes x 32 CPUs x 4 GPUs", madeHost(16, 32, 4)],
  ].map(([name, host]) => [name, prepared(host)]);

  /** The plan of a guest whose profile has this, or undefined. */
  const plan = (host, ledger, { vcpus, gibibytes, gpus }, given) => {
    const profile = profileSchema.parse({
      version: 1,
      name: "guest",
      machine: { accel: "kvm" },
      cpus: { boot: vcpus },
      memory: { size: `${gibibytes}G` },
      passthrough: { devices: gpus.map((address) => ({ address })) },
      ...given,
    });
    const result = planVm({ profile, host, ledger, places });
    return result.ok ? result.value : undefined;
  };
  const byNode = (host, ledger, guest) =>
    plan(host, ledger, guest, { numa: { partition: { mode: "node", distribution: "siblings" } } });
  const withPins = (host, ledger, guest, cpus) => {
    const vcpus = Object.fromEntries(cpus.map((cpu, id) => [String(id), String(cpu)]));
    return plan(host, ledger, guest, { pinning: { vcpus, overcommit: true } });
  };
  const firstFit = (host, ledger, guest) => {
    const held = new Set(ledger.flatMap(({ exclusiveCpus }) => exclusiveCpus));
    const free = host.cpus.filter(({ id, online }) => online && !held.has(id)).slice(0, guest.vcpus);
    return free.length < guest.vcpus || !fitsPool(host, ledger, guest)
      ? undefined
      : withPins(
          host,
          ledger,
          guest,
          free.map(({ id }) => id),
        );
  };
  const modulo = (host, ledger, guest) => {
    const online = host.cpus.filter((cpu) => cpu.online).map(({ id }) => id);
    const cpus = Array.from({ length: guest.vcpus }, (_, id) => online[id % online.length]);
    return fitsPool(host, ledger, guest) ? withPins(host, ledger, guest, cpus) : undefined;
  };

  const rows = [];
  for (const [name, host] of hosts) {
    const results = { ours: [], first: [], modulo: [], bound: [] };
    const spentMs = [];
    for (let run = 0; run < runs; run++) {
      const stream = makeStream(host, run);
      const timed = (...given) => {
        const began = performance.now();
        const planned = byNode(...given);
        spentMs.push(performance.now() - began);
        return planned;
      };
      results.ours.push(runStream(host, stream, timed, scorePlan));
      results.first.push(runStream(host, stream, firstFit, scorePlan));
      results.modulo.push(runStream(host, stream, modulo, scorePlan));
      results.bound.push(runStream(host, stream, (...given) => (fitsPool(...given) ? pooled : undefined)));
    }
    const placed = (list) => list.map(({ count }) => count);
    const scores = (list) => list.map(({ score }) => score);
    rows.push(
      line(
        `guests placed, ${name}`,
        "first free CPUs",
        placed(results.ours),
        placed(results.first),
        "guests",
      ),
      line(
        `guests placed, ${name}`,
        "bound: one pool",
        placed(results.ours),
        placed(results.bound),
        "guests",
      ),
      line(`score, ${name}`, "first free CPUs", scores(results.ours), scores(results.first), "of 100"),
      line(`score, ${name}`, "vCPU modulo CPUs", scores(results.ours), scores(results.modulo), "of 100"),
      line(`a placement, ${name}`, "50 ms", [median(spentMs)], [50], "ms"),
    );
  }
  return rows;
}

function line(work, floor, ours, theirs, unit) {
  return { ...compare(work, floor, ours, theirs), unit };
}

const pooled = { pool: true };

/** A host on which nothing but placement stands in the way: a free machine whose devices are free. */
function prepared(host) {
  const { qemu: _, ...rest } = host;
  return {
    ...rest,
    kvm: { usable: true, reason: "" },
    nodes: host.nodes.map((node) => ({ ...node, freeBytes: node.memoryBytes })),
    iommu: { enabled: true, vfioPci: "loaded", iommufd: false },
    pci: (host.pci ?? []).map(({ hostUse: _use, ...fn }) => ({
      ...fn,
      driver: fn.kind === "endpoint" ? "vfio-pci" : fn.driver,
    })),
  };
}

function madeHost(nodes, cpusOfNode, gpusOfNode) {
  const total = (nodes * cpusOfNode) / 2;
  const hex = (value) => value.toString(16).padStart(2, "0");
  const cpus = Array.from({ length: nodes * cpusOfNode }, (_, id) => {
    const core = id % total;
    const node = Math.floor(core / (cpusOfNode / 2));
    return {
      id,
      online: true,
      node,
      socket: node,
      die: 0,
      core,
      siblings: [core, core + total],
      isolated: false,
      l3: core - (core % 8),
    };
  });
  const gpu = (node, index) => ({
    address: `0000:${hex(node * 8 + index + 1)}:00.0`,
    rootBus: `0000:${hex(node * 8)}`,
    ...{
      kind: "endpoint",
      class: "030200",
      vendor: "10de",
      device: "2335",
      node,
      iommuGroup: node * gpusOfNode + index,
    },
    bars: [{ index: 0, sizeBytes: 2 ** 24, kind: "mem64", prefetchable: true }],
  });
  return {
    version: 1,
    processor: { vendor: "GenuineIntel", model: "made up", physicalAddressBits: 52 },
    cpus,
    nodes: Array.from({ length: nodes }, (_, id) => ({
      id,
      cpus: cpus.filter((cpu) => cpu.node === id).map((cpu) => cpu.id),
      ...{ memoryBytes: cpusOfNode * 8 * gib, freeBytes: cpusOfNode * 8 * gib, hugepages: [] },
      distances: Array.from({ length: nodes }, (_unused, other) =>
        other === id ? 10 : Math.floor(other / 4) === Math.floor(id / 4) ? 20 : 30,
      ),
    })),
    pci: Array.from({ length: nodes * gpusOfNode }, (_, index) =>
      gpu(Math.floor(index / gpusOfNode), index % gpusOfNode),
    ),
  };
}

/** Random numbers that are the same for the same seed. */
function randomFrom(seed) {
  let state = seed + 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Guests of 1 to 128 vCPUs, small ones more often, a third of them with GPUs; three come for each that goes. */
function makeStream(host, seed) {
  const random = randomFrom(seed);
  const online = host.cpus.filter((cpu) => cpu.online).length;
  const sizes = [1, 2, 2, 4, 4, 4, 8, 8, 8, 16, 16, 32, 64, 128].filter((size) => size <= online / 2);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const hasGpus = host.pci.some(isGpu);
  return Array.from({ length: 2000 }, (_, id) => {
    if (id > 3 && random() < 0.25) return { goes: Math.floor(random() * id) };
    const vcpus = pick(sizes);
    const gpus = hasGpus && vcpus >= 4 && random() < 0.33 ? pick([1, 1, 2, 4]) : 0;
    return { id, vcpus, gibibytes: vcpus * pick([1, 2, 4]), gpuCount: gpus };
  });
}

const isGpu = ({ class: code, vendor }) => vendor === "10de" && code.startsWith("03");

/** Until the first guest that finds no place. */
function runStream(host, stream, place, scorePlan) {
  const there = new Map();
  const scores = [];
  let count = 0;
  for (const event of stream) {
    if ("goes" in event) {
      there.delete(event.goes);
      continue;
    }
    const ledger = [...there.values()];
    const gpus = freeGpus(host, ledger, event.gpuCount);
    // Devices run out for everybody alike: that is not about placement.
    if (gpus === undefined) continue;
    const guest = { ...event, gpus };
    const planned = place(host, ledger, guest);
    if (planned === undefined) break;
    count++;
    if (scorePlan) scores.push(scorePlan(planned, host, ledger).total);
    there.set(event.id, holdingOf(guest, planned));
  }
  return {
    count,
    score: scores.length === 0 ? 0 : scores.reduce((sum, score) => sum + score, 0) / scores.length,
  };
}

/** Those of one node where it has enough, else the first ones. */
function freeGpus(host, ledger, count) {
  const held = new Set(ledger.flatMap(({ pciFunctions = [] }) => pciFunctions));
  const free = host.pci.filter((fn) => isGpu(fn) && !held.has(fn.address));
  if (free.length < count) return undefined;
  const alike = free.filter(({ node }) => free.filter((other) => other.node === node).length >= count);
  const node = alike[0]?.node;
  const chosen = alike.length > 0 ? alike.filter((fn) => fn.node === node) : free;
  return chosen.slice(0, count).map(({ address }) => address);
}

function holdingOf({ id, vcpus, gibibytes, gpus }, planned) {
  const base = { vm: `vm${id}`, pciFunctions: gpus, vcpus, gibibytes };
  if (planned === pooled) return { ...base, exclusiveCpus: [] };
  const { cells, vcpus: placed, idleCpus = [] } = planned.placement;
  return {
    ...base,
    exclusiveCpus: [...placed.flatMap(({ hostCpus = [] }) => hostCpus), ...idleCpus],
    memory: cells.map(({ memoryBytes, hostNodes, pageSizeBytes }) => ({
      bytes: memoryBytes,
      pageSizeBytes,
      hostNodes,
    })),
  };
}

function fitsPool(host, ledger, { vcpus, gibibytes }) {
  const sum = (list) => list.reduce((total, value) => total + value, 0);
  const cpus = host.cpus.filter((cpu) => cpu.online).length - sum(ledger.map((holding) => holding.vcpus));
  const bytes =
    sum(host.nodes.map(({ memoryBytes }) => memoryBytes)) -
    sum(ledger.map((holding) => holding.gibibytes)) * gib;
  return vcpus <= cpus && gibibytes * gib <= bytes;
}
