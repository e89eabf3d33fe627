import { formatIdSet, type IdSet, idUnion, parseIdSet } from "../../units/index.ts";
import { countIn, type ImportContext, type ImportHost, numberOf } from "./context.ts";
import type { Reading } from "./reading.ts";

/** Host CPUs of vCPUs and of QEMU's own threads, and what cells are bound to. After the cells. */
export function readPlacement(domain: Reading, context: ImportContext): void {
  const pins = readPins(domain, context);
  const { profile } = context;
  const policy = readNumatune(domain.one("numatune"));
  bindCells(domain, context, pins, policy);
  if (pins.size === 0 || profile.numa?.partition) return;
  profile.pinning = {
    ...profile.pinning,
    vcpus: Object.fromEntries(
      grouped(pins).map(({ vcpus, hostCpus }) => [formatIdSet(vcpus), formatIdSet(hostCpus)]),
    ),
    ...(mustShare([...pins.values()]) ? { overcommit: true } : {}),
  };
}

function readPins(domain: Reading, context: ImportContext): Map<number, IdSet> {
  const { profile } = context;
  const pins = new Map<number, IdSet>();
  const vcpu = domain.one("vcpu");
  const all = vcpu?.attribute("cpuset");
  const count = countIn(vcpu, 1);
  const allCpus = parseIdSet(all ?? "") ?? [];
  if (allCpus.length > 0) for (let id = 0; id < count; id++) pins.set(id, allCpus);
  else if (all !== undefined) vcpu?.dropAttribute("cpuset", `"${all}" names no host CPU`);
  const tune = domain.one("cputune");
  for (const pin of tune?.all("vcpupin") ?? []) {
    const id = numberOf(pin, "vcpu");
    const cpus = parseIdSet(pin.attribute("cpuset") ?? "");
    if (id === undefined || !cpus || cpus.length === 0 || id >= count)
      pin.drop("no pin of a vCPU of this guest");
    else pins.set(id, cpus);
  }
  const emulator = tune?.one("emulatorpin")?.attribute("cpuset");
  if (emulator !== undefined) profile.pinning = { ...profile.pinning, emulator };
  readIothreads(domain, tune, context);
  const ignored = {
    vcpusched: "chrt sets a scheduler once it runs",
    iothreadsched: "chrt sets a scheduler once it runs",
    emulatorsched: "chrt sets a scheduler once it runs",
    cachetune: "resctrl groups are for the host's own tools",
    memorytune: "resctrl groups are for the host's own tools",
  };
  for (const [name, note] of Object.entries(ignored))
    for (const element of tune?.all(name) ?? []) element.drop(note);
  for (const name of [
    "shares",
    "period",
    "quota",
    "emulator_period",
    "emulator_quota",
    "global_period",
    "global_quota",
    "iothread_period",
    "iothread_quota",
  ]) {
    tune?.one(name)?.drop("start qlaunch in a cgroup that has this limit");
  }
  for (const name of ["blkiotune", "memtune", "throttlegroups"])
    domain.one(name)?.drop("start qlaunch in a cgroup that has these limits");
  return pins;
}

function readIothreads(domain: Reading, tune: Reading | undefined, context: ImportContext): void {
  const { profile, iothreadName } = context;
  const ids = (domain.one("iothreadids")?.all("iothread") ?? []).flatMap(
    (each) => numberOf(each, "id") ?? [],
  );
  const count = countIn(domain.one("iothreads"), ids.length);
  const next = function* () {
    for (let id = 1; ; id++) if (!ids.includes(id)) yield id;
  };
  for (const id of next()) {
    if (ids.length >= count) break;
    ids.push(id);
  }
  if (ids.length > 0) profile.iothreads = ids.map((id) => iothreadName(id));
  const pins: Record<string, string> = {};
  for (const pin of tune?.all("iothreadpin") ?? []) {
    const id = numberOf(pin, "iothread");
    const cpus = pin.attribute("cpuset");
    if (id !== undefined && cpus !== undefined && ids.includes(id)) pins[iothreadName(id)] = cpus;
    else pin.drop("a pin for an I/O thread that the domain does not have");
  }
  if (Object.keys(pins).length > 0) profile.pinning = { ...profile.pinning, iothreads: pins };
}

type Policy = "bind" | "preferred" | "interleave";

interface Binding {
  readonly nodes: string;
  readonly policy: Policy;
  readonly element: Reading;
}

interface Numatune {
  readonly all: Binding | undefined;
  readonly byCell: ReadonlyMap<number, Binding>;
}

function readNumatune(tune: Reading | undefined): Numatune {
  const byCell = new Map<number, Binding>();
  for (const node of tune?.all("memnode") ?? []) {
    const id = numberOf(node, "cellid");
    const binding = bindingOf(node);
    if (id !== undefined && binding) byCell.set(id, binding);
  }
  const memory = tune?.one("memory");
  return { all: memory && bindingOf(memory), byCell };
}

function bindingOf(element: Reading): Binding | undefined {
  const mode = element.attribute("mode") ?? "strict";
  const placement = element.attribute("placement");
  const nodes = element.attribute("nodeset");
  if (nodes === undefined) {
    element.drop(`placement ${placement ?? "auto"} asked numad: name host nodes, or use numa.partition`);
    return undefined;
  }
  if ((parseIdSet(nodes) ?? []).length === 0) {
    element.drop(`"${nodes}" names no host node`);
    return undefined;
  }
  const policies: Readonly<Record<string, Policy>> = {
    strict: "bind",
    restrictive: "bind",
    preferred: "preferred",
    interleave: "interleave",
  };
  const policy = policies[mode];
  if (policy === undefined) element.drop(`mode ${mode} is unknown`);
  return policy === undefined ? undefined : { nodes, policy, element };
}

/** Each cell to its own nodes: those of numatune, or the ones where its vCPUs run, if these are fewer. */
function bindCells(
  domain: Reading,
  { profile, host }: ImportContext,
  pins: ReadonlyMap<number, IdSet>,
  { all, byCell }: Numatune,
): void {
  const cells = profile.numa?.cells;
  if (!cells) {
    if (all && profile.numa === undefined && profile.memory) {
      all.element.improve(
        "one cell with everything is bound: the guest sees one node, as it does without cells",
      );
      bindWhole(profile, all);
    }
    return;
  }
  const local: number[] = [];
  profile.numa = {
    cells: cells.map((cell, id) => {
      const own = byCell.get(id) ?? all;
      const running = nodesOfPins(parseIdSet(String(cell.cpus ?? "")) ?? [], pins, host);
      const named = own && (parseIdSet(own.nodes) ?? []);
      const isNarrower = running !== undefined && (named === undefined || named.length > running.length);
      if (isNarrower && own === all) local.push(id);
      const nodes = isNarrower && byCell.get(id) === undefined ? formatIdSet(running) : own?.nodes;
      if (nodes === undefined) return cell;
      const policy = own?.policy ?? "bind";
      return { ...cell, hostNodes: nodes, ...(policy === "bind" ? {} : { policy }) };
    }),
  };
  if (local.length > 0) {
    const where = all?.element ?? domain.one("cputune");
    where?.improve(
      `cell ${formatIdSet(local)}: bound to the nodes where the vCPUs run${all ? `; nodes ${all.nodes} for all let the memory of a cell be away from them` : ""}`,
    );
  }
  addDistances(domain, profile, host);
}

/** A guest without cells that is bound has one cell with everything. */
function bindWhole(profile: ImportContext["profile"], { nodes, policy }: Binding): void {
  const { boot, max = boot } = profile.cpus;
  profile.numa = {
    cells: [
      {
        cpus: max === 1 ? "0" : `0-${max - 1}`,
        memory: profile.memory.size,
        hostNodes: nodes,
        ...(policy === "bind" ? {} : { policy }),
      },
    ],
  };
}

function nodesOfPins(
  vcpus: IdSet,
  pins: ReadonlyMap<number, IdSet>,
  host: ImportHost | undefined,
): IdSet | undefined {
  if (!host || vcpus.length === 0 || vcpus.some((id) => !pins.has(id))) return undefined;
  const cpus = new Set(vcpus.flatMap((id) => pins.get(id) ?? []));
  const nodes = host.nodes.filter((node) => node.cpus.some((id) => cpus.has(id))).map(({ id }) => id);
  return nodes.length > 0 ? nodes : undefined;
}

/** Where the domain says none, and each cell is on one node. */
function addDistances(
  domain: Reading,
  profile: ImportContext["profile"],
  host: ImportHost | undefined,
): void {
  const cells = profile.numa?.cells ?? [];
  if (!host || cells.length < 2 || cells.some(({ distances }) => distances !== undefined)) return;
  const places = cells.map(({ hostNodes }) => {
    const nodes = parseIdSet(String(hostNodes ?? "")) ?? [];
    return nodes.length === 1 ? host.nodes.findIndex(({ id }) => id === nodes[0]) : -1;
  });
  if (places.includes(-1)) return;
  profile.numa = {
    cells: cells.map((cell, from) => ({
      ...cell,
      distances: places.map((place, to) =>
        from === to ? 10 : Math.max(11, host.nodes[places[from] ?? 0]?.distances[place] ?? 20),
      ),
    })),
  };
  domain
    .one("cpu")
    ?.one("numa")
    ?.improve("the cells have the distances of the host's nodes, which the domain leaves out");
}

/** vCPUs that have the same host CPUs, together. */
function grouped(pins: ReadonlyMap<number, IdSet>): { vcpus: IdSet; hostCpus: IdSet }[] {
  const groups = new Map<string, { vcpus: number[]; hostCpus: IdSet }>();
  for (const [vcpu, hostCpus] of [...pins].sort(([a], [b]) => a - b)) {
    const key = formatIdSet(hostCpus);
    const group = groups.get(key);
    if (group) group.vcpus.push(vcpu);
    else groups.set(key, { vcpus: [vcpu], hostCpus });
  }
  return [...groups.values()];
}

/** Whether vCPUs cannot each have a CPU of their own: some that are confined to a set are more than it has. */
export function mustShare(pins: readonly IdSet[]): boolean {
  const distinct = new Map(pins.map((set) => [formatIdSet(set), set]));
  const sets = [...distinct.values(), idUnion([...distinct.values()])];
  return sets.some((set) => {
    const inside = new Set(set);
    return pins.filter((own) => own.every((id) => inside.has(id))).length > set.length;
  });
}
