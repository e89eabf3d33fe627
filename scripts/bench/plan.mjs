import { importTypeScript } from "../import-typescript.mjs";
import { places } from "./places.mjs";
import { compare, time } from "./statistics.mjs";

/** Planning in process, for 16, 88 and 1,024 vCPUs on hosts of as many nodes as cells. */
export async function benchPlan(runs) {
  const { planVm } = await importTypeScript("src/plan/planner.ts");
  const { profileSchema } = await importTypeScript("src/profile/schema.ts");
  const sizes = [
    { vcpus: 16, cells: 4 },
    { vcpus: 88, cells: 2 },
    { vcpus: 1024, cells: 16 },
  ];
  const inputs = sizes.map(({ vcpus, cells }) => ({
    profile: profileSchema.parse(profileOf(vcpus, cells)),
    host: hostOf(cells, (vcpus / cells) * 1.5),
    ledger: [],
    places,
  }));
  const times = sizes.map(() => []);
  for (let run = -20; run < runs; run++) {
    for (const [index, input] of inputs.entries()) {
      const spent = await time(() => {
        const result = planVm(input);
        if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
      });
      if (run >= 0) times[index].push(spent);
    }
  }
  // A ratio of 1 is linear growth: as much time for each vCPU as in the plan of 16.
  return sizes.map(({ vcpus }, index) =>
    compare(
      `plan, ${vcpus} vCPUs`,
      `${vcpus / 16} x the plan of 16`,
      times[index],
      times[0].map((value) => (value * vcpus) / 16),
    ),
  );
}

function profileOf(vcpus, cells) {
  const each = vcpus / cells;
  return {
    version: 1,
    name: "bench",
    machine: { accel: "tcg" },
    cpus: { boot: vcpus, topology: { sockets: cells, cores: each / 2, threads: 2 } },
    memory: { size: `${cells}G` },
    numa: {
      cells: Array.from({ length: cells }, (_, id) => ({
        cpus: `${id * each}-${(id + 1) * each - 1}`,
        memory: "1G",
        hostNodes: String(id),
        distances: Array.from({ length: cells }, (_, other) => (other === id ? 10 : 21)),
      })),
    },
    pinning: { vcpus: "auto" },
  };
}

/** Nodes of cores with two threads, numbered as Linux does: first threads first. */
function hostOf(nodes, cpusPerNode) {
  const perNode = Math.ceil(cpusPerNode / 2) * 2;
  const cores = (nodes * perNode) / 2;
  const cpus = Array.from({ length: nodes * perNode }, (_, id) => {
    const core = id % cores;
    return {
      id,
      online: true,
      node: Math.floor(core / (perNode / 2)),
      socket: Math.floor(core / (perNode / 2)),
      die: 0,
      core,
      siblings: [core, core + cores],
      isolated: false,
    };
  });
  return {
    version: 1,
    processor: { vendor: "GenuineIntel", model: "bench", physicalAddressBits: 46 },
    cpus,
    nodes: Array.from({ length: nodes }, (_, id) => ({
      id,
      cpus: cpus.filter((cpu) => cpu.node === id).map((cpu) => cpu.id),
      memoryBytes: 2 ** 36,
      freeBytes: 2 ** 35,
      hugepages: [],
      distances: Array.from({ length: nodes }, (_, other) => (other === id ? 10 : 21)),
    })),
    kvm: { usable: false, reason: "bench" },
  };
}
