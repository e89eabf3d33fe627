import { formatIdSet, type IdSet, idUnion, parseIdSet } from "../../units/index.ts";
import { bytesOf, countIn, type ImportContext, isOn, numberOf, sizeText, wholeMebibytes } from "./context.ts";
import type { Reading } from "./reading.ts";

/** A cell as the domain has it. */
interface DomainCell {
  cpus: IdSet;
  readonly bytes: number;
  readonly distances: number[] | undefined;
}

/** vCPUs, the processor that the guest sees, and its cells; what binds the cells is read elsewhere. */
export function readCpus(domain: Reading, context: ImportContext): void {
  const { profile } = context;
  const vcpu = domain.one("vcpu");
  const max = countIn(vcpu, 1);
  const boot = vcpu && numberOf(vcpu, "current");
  if (vcpu?.attribute("placement") === "auto" && vcpu.attribute("cpuset") === undefined)
    vcpu.dropAttribute("placement", '"auto" asked numad for host CPUs: the planner chooses them');
  profile.cpus = { boot: boot ?? max, ...(boot !== undefined && boot < max ? { max } : {}) };
  readEach(domain.one("vcpus"), profile.cpus, max);
  const cpu = domain.one("cpu");
  if (cpu) {
    readModel(cpu, profile.cpus, profile.machine?.accel === "tcg");
    readTopology(cpu.one("topology"), profile.cpus);
    if (profile.machine?.accel === "tcg" && (profile.cpus.topology?.threads ?? 1) > 1)
      cpu
        .one("topology")
        ?.improve("TCG shows threads of a core with an Intel vendor alone, which is therefore set");
    readCache(cpu.one("cache"));
    readBits(cpu.one("maxphysaddr"), profile.cpus);
  }
  // What QEMU's boards have, and libvirt leaves them.
  if (profile.cpus.model === undefined)
    profile.cpus.model = domain.one("os")?.one("type")?.attribute("arch") === "i686" ? "qemu32" : "qemu64";
  readCells(domain, cpu, context, max);
  // libvirt gives every vCPU a socket; a partition counts its sockets by its cells.
  if (!profile.cpus.topology && !profile.numa?.partition && max > 1)
    profile.cpus.topology = { sockets: max, cores: 1 };
}

type CpusDraft = ImportContext["profile"]["cpus"];

/** libvirt says of each vCPU whether it is there; qlaunch says how many are, and spreads them over the cells. */
function readEach(vcpus: Reading | undefined, cpus: CpusDraft, max: number): void {
  const each = vcpus?.all("vcpu") ?? [];
  const enabled = each.filter((vcpu) => vcpu.attribute("enabled") !== "no");
  for (const vcpu of each) {
    vcpu.attribute("id");
    vcpu.attribute("order");
  }
  const fixed = enabled.filter((vcpu) => vcpu.attribute("hotpluggable") === "no");
  if (each.length === 0) return;
  if (enabled.length < max) {
    cpus.boot = Math.max(1, enabled.length);
    cpus.max = max;
    vcpus?.improve(
      "which vCPUs are there at the start is planned: cells stay level, threads of a core together",
    );
  }
  if (fixed.length === enabled.length && enabled.length > 1) cpus.hotpluggable = false;
  else if (fixed.length > 1) {
    vcpus?.improve("every vCPU but the first can be removed");
  }
}

function readModel(cpu: Reading, cpus: CpusDraft, isTcg: boolean): void {
  const mode = cpu.attribute("mode");
  const model = cpu.one("model");
  if (cpu.attribute("match") === "minimum")
    cpu.dropAttribute("match", '"minimum": the model as it is, without what else the host has; write "host"');
  // Of the host's own processor alone: also what could not be taken along.
  if (isOn(cpu.attribute("migratable")) === false) cpus.features = { ...cpus.features, migratable: false };
  const check = cpu.attribute("check");
  if (check !== undefined && !["none", "partial", "full", "numa"].includes(check)) {
    cpu.dropAttribute("check", `"${check}" is no way to check a processor`);
  }
  if (mode === "host-passthrough" || mode === "maximum") cpus.model = mode === "maximum" ? "max" : "host";
  else if (mode === "host-model" && isTcg) {
    cpus.model = "max";
    cpu.improve("TCG has no processor of the host: all that QEMU can show is in max");
  } else if (mode === "host-model") {
    cpus.model = "host";
    cpu.improve("the host's processor as it is, since the guest is not migrated");
  } else if (model) cpus.model = model.text() ?? "max";
  model?.attribute("fallback");
  const vendor = cpu.one("vendor") ?? (model?.attribute("vendor_id") === undefined ? undefined : model);
  vendor?.drop("the vendor is the model's own");
  readFeatures(cpu, cpus);
}

function readFeatures(cpu: Reading, cpus: CpusDraft): void {
  const features: Record<string, boolean> = {};
  for (const feature of cpu.all("feature")) {
    const name = feature.attribute("name") ?? "";
    const policy = feature.attribute("policy") ?? "require";
    if (policy === "require" || policy === "force") features[name] = true;
    else if (policy === "disable" || policy === "forbid") features[name] = false;
    else feature.drop(`policy ${policy}: a feature is on, off, or what the model says`);
  }
  if (Object.keys(features).length > 0) cpus.features = { ...cpus.features, ...features };
}

function readTopology(topology: Reading | undefined, cpus: CpusDraft): void {
  if (!topology) return;
  const count = (name: string) => numberOf(topology, name) ?? 1;
  const [sockets, dies, cores, threads] = [count("sockets"), count("dies"), count("cores"), count("threads")];
  const clusters = count("clusters");
  if (clusters > 1)
    topology.dropAttribute("clusters", "clusters become cores of their die: x86 guests see none");
  cpus.topology = {
    sockets,
    ...(dies > 1 ? { dies } : {}),
    cores: cores * clusters,
    ...(threads > 1 ? { threads } : {}),
  };
}

function readCache(cache: Reading | undefined): void {
  const mode = cache?.attribute("mode");
  if (mode === undefined || (mode === "emulate" && cache?.attribute("level") === "3")) return;
  cache?.drop(`mode ${mode}: the guest sees a cache of level 3 for each socket`);
}

function readBits(bits: Reading | undefined, cpus: CpusDraft): void {
  const mode = bits?.attribute("mode");
  if (mode === "passthrough") {
    cpus.physicalBits = "host";
    if (bits?.attribute("limit") !== undefined) bits.dropAttribute("limit", "the host's bits are all used");
  } else if (bits) {
    const number = numberOf(bits, "bits");
    if (number !== undefined) cpus.physicalBits = number;
  }
}

function readCells(domain: Reading, cpu: Reading | undefined, context: ImportContext, max: number): void {
  const { profile } = context;
  const vnuma = domain.one("vnuma");
  const numa = cpu?.one("numa");
  const given = numa?.all("cell") ?? [];
  const areShared = given.length > 0 && given.every((cell) => cell.attribute("memAccess") === "shared");
  if (areShared) profile.memory.share = true;
  const cells = given.map((cell, index) => readCell(cell, index, areShared));
  if (cells.length > 0) {
    if (vnuma) vnuma.drop("the cells are written out already");
    fillFirst(cells, numa, max);
    const distances = completeDistances(cells);
    profile.numa = {
      cells: cells.map(({ cpus, bytes }, index) => ({
        cpus: formatIdSet(cpus),
        memory: sizeText(bytes),
        ...(distances ? { distances: distances[index] } : {}),
      })),
    };
    // Whatever the domain's own size says, as libvirt has it.
    const all = cells.reduce((sum, { bytes }) => sum + bytes, 0);
    const isAdded = domain.one("devices")?.one("memory") !== undefined;
    const differs = ![0, sizeText(all)].includes(profile.memory.size);
    if (all > 0 && differs && !isAdded)
      domain
        .one("memory")
        ?.improve(`${sizeText(all)}: what its cells have together counts, as libvirt has it`);
    if (all > 0) profile.memory.size = sizeText(all);
    splitCores(cpu, cells, profile.cpus);
    return;
  }
  if (vnuma) readVnuma(vnuma, context);
  else if (cpu?.attribute("check") === "numa") {
    profile.numa = { partition: { distribution: "round-robin" } };
    cpu.improve("check numa asked for cells from the host's nodes, vCPU by vCPU: numa.partition");
  }
  for (const name of ["interconnects"]) numa?.one(name)?.drop("the guest is told distances, not bandwidths");
}

/** libvirt puts vCPUs that no cell has into the first. */
function fillFirst(cells: readonly DomainCell[], numa: Reading | undefined, most: number): void {
  const known = new Set(idUnion(cells.map(({ cpus }) => cpus)));
  const missing = Array.from({ length: most }, (_, id) => id).filter((id) => !known.has(id));
  const [first] = cells;
  if (!first || missing.length === 0) return;
  first.cpus = idUnion([first.cpus, missing]);
  numa?.improve(`vCPUs ${formatIdSet(missing)} are in no cell, so in cell 0, where libvirt puts them too`);
}

/** The proposal of automatic cells that libvirt never took. */
function readVnuma(vnuma: Reading, { profile }: ImportContext): void {
  const mode = vnuma.attribute("mode") === "node" ? "node" : "host";
  const distribution = vnuma.attribute("distribution");
  const hostNodes = vnuma.one("memory")?.attribute("nodeset");
  profile.numa = {
    partition: {
      ...(mode === "node" ? { mode } : {}),
      ...(distribution === "siblings" ? { distribution } : {}),
      ...(hostNodes === undefined ? {} : { hostNodes }),
    },
  };
  profile.pinning = { ...profile.pinning, granularity: "node" };
  vnuma.improve("numa.partition makes the cells, their pins and bindings from the host's nodes");
}

function readCell(cell: Reading, index: number, areShared: boolean): DomainCell {
  const id = numberOf(cell, "id");
  if (id !== undefined && id !== index) cell.dropAttribute("id", `cells are in order: this is cell ${index}`);
  const cpus = parseIdSet(cell.attribute("cpus") ?? "") ?? [];
  const text = cell.attribute("memory") ?? "0";
  const bytes = wholeMebibytes(bytesOf(cell, text, cell.attribute("unit") ?? "KiB") ?? 0);
  if (cell.attribute("memAccess") === "shared" && !areShared)
    cell.dropAttribute("memAccess", "write memory.share, which is for all cells");
  if (isOn(cell.attribute("discard")) === true)
    cell.dropAttribute("discard", "memory that QEMU leaves is freed anyway");
  for (const cache of cell.all("cache")) cache.drop("the guest is told distances, not caches of memory");
  const siblings = cell.one("distances")?.all("sibling") ?? [];
  const distances = siblings.map((sibling) => [numberOf(sibling, "id"), numberOf(sibling, "value")] as const);
  const byId: number[] = [];
  for (const [to, value] of distances) if (to !== undefined && value !== undefined) byId[to] = value;
  return { cpus, bytes, distances: siblings.length > 0 ? byId : undefined };
}

/** libvirt fills a pair that is said one way; 10 and 20 otherwise. */
function completeDistances(cells: readonly DomainCell[]): number[][] | undefined {
  if (cells.every(({ distances }) => distances === undefined)) return undefined;
  return cells.map(({ distances }, from) =>
    cells.map((other, to) => distances?.[to] ?? (from === to ? 10 : (other.distances?.[from] ?? 20))),
  );
}

/** A guest that sees the threads of a core on two nodes distrusts both tables. */
function splitCores(cpu: Reading | undefined, cells: readonly DomainCell[], cpus: CpusDraft): void {
  const threads = cpus.topology?.threads ?? 1;
  const isSplit = cells.some(({ cpus: own }) => {
    const set = new Set(own);
    return own.some((id) => {
      const first = id - (id % threads);
      return Array.from({ length: threads }, (_, thread) => first + thread).some(
        (sibling) => !set.has(sibling),
      );
    });
  });
  if (!isSplit) return;
  const all = idUnion(cells.map(({ cpus: own }) => own)).length;
  cpus.topology = { sockets: all, cores: 1 };
  cpu
    ?.one("topology")
    ?.improve(
      `a socket for each vCPU: ${threads} consecutive vCPUs are one core, which these cells would split`,
    );
}
