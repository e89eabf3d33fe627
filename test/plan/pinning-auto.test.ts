import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/plan/index.ts";
import { formatIdSet } from "../../src/units/index.ts";
import { plan, problems, recordedHost, type World } from "./planning.ts";

const sockets = (threads: number) => ({
  cpus: { boot: 16, topology: { sockets: 4, cores: 4 / threads, threads } },
  memory: { size: "4G" },
  numa: {
    cells: [0, 1, 2, 3].map((node) => ({
      cpus: `${node * 4}-${node * 4 + 3}`,
      memory: "1G",
      hostNodes: String(node),
    })),
  },
});
const ol8: World = { host: "ol8" };
const pins = (planned: Plan) =>
  planned.placement.vcpus.map((vcpu) => (vcpu.hostCpus ? formatIdSet(vcpu.hostCpus) : "-")).join(" ");

describe("granularity thread", () => {
  it("gives guest siblings host siblings and leaves the reserve alone", () => {
    const pinning = { reserve: "0,15,30,45,60,75,90,105" };
    expect(pins(plan({ ...sockets(2), pinning }, ol8))).toBe(
      "1 61 2 62 16 76 17 77 31 91 32 92 46 106 47 107",
    );
  });

  it("gives guests without siblings whole host cores first", () => {
    expect(pins(plan(sockets(1), ol8))).toBe("0 1 2 3 15 16 17 18 30 31 32 33 45 46 47 48");
    const all = pins(plan({ cpus: { boot: 8 }, pinning: { vcpus: "auto" } }));
    expect(all).toBe("0 1 2 3 4 5 6 7");
  });

  it("prefers a core with both threads free to one with a reserved sibling", () => {
    const pinning = { vcpus: "auto", reserve: "0,1" };
    expect(pins(plan({ cpus: { boot: 3 }, pinning }))).toBe("2 3 4");
  });

  it("takes siblings apart only when no core has enough left", () => {
    const cpus = { boot: 6, topology: { cores: 3, threads: 2 } };
    // The laptop's cores are 0/4, 1/5, 2/6, 3/7.
    expect(pins(plan({ cpus, pinning: { vcpus: "auto", reserve: "0,1" } }))).toBe("2 6 3 7 4 5");
  });

  it("keeps away from what other VMs have", () => {
    const ledger = [{ vm: "other", exclusiveCpus: [0, 4, 1] }];
    const cpus = { boot: 2, topology: { cores: 1, threads: 2 } };
    expect(pins(plan({ cpus, pinning: { vcpus: "auto" } }, { ledger }))).toBe("2 6");
  });

  it("marks each CPU as the vCPU's own", () => {
    expect(plan(sockets(2), ol8).placement.vcpus.every((vcpu) => vcpu.exclusive)).toBe(true);
  });

  it("says how many CPUs there are and are wanted, and who has the others", () => {
    const ledger = [{ vm: "other", exclusiveCpus: [4] }];
    expect(problems({ cpus: { boot: 6 }, pinning: { vcpus: "auto", reserve: "0-1" } }, { ledger })).toEqual([
      "HOST_CPUS_SHORT cpus.boot: host node 0 has 5 free CPUs on 3 cores for the 6 vCPUs of cell 0 (reserved: 0-1; held by other); 6 free host CPUs",
    ]);
  });
});

describe("granularity core", () => {
  const pinning = { granularity: "core" };

  it("gives each guest core a host core, whose threads its own share", () => {
    expect(pins(plan({ ...sockets(2), pinning }, ol8))).toMatch(/^0,60 0,60 1,61 1,61 15,75 /);
    expect(pins(plan({ ...sockets(1), pinning }, ol8))).toMatch(/^0,60 1,61 2,62 3,63 15,75 /);
  });

  it("takes no core of which the host keeps a thread", () => {
    const planned = plan({ cpus: { boot: 2 }, pinning: { ...pinning, vcpus: "auto", reserve: "0,5" } });
    expect(pins(planned)).toBe("2,6 3,7");
  });

  it("says that whole cores are wanted", () => {
    expect(problems({ cpus: { boot: 5 }, pinning: { ...pinning, vcpus: "auto" } })).toEqual([
      "HOST_CPUS_SHORT cpus.boot: host node 0 has 8 free CPUs on 4 cores for the 5 vCPUs of cell 0; 5 free host CPUs, a whole core for each guest core",
    ]);
  });
});

describe("granularity node", () => {
  const pinning = { granularity: "node", reserve: "0,60" };

  it("gives every vCPU all free CPUs of its node, and nobody any of them", () => {
    const { vcpus } = plan({ ...sockets(2), pinning }, ol8).placement;
    expect(formatIdSet(vcpus[3]?.hostCpus ?? [])).toBe("1-14,61-74");
    expect(vcpus.some((vcpu) => vcpu.exclusive)).toBe(false);
  });

  it("gives two cells on one node the same CPUs, as long as there is one for each vCPU", () => {
    const cells = (each: number) => ({
      cpus: { boot: 2 * each },
      numa: {
        cells: [0, 1].map((cell) => ({
          cpus: `${cell * each}-${cell * each + each - 1}`,
          memory: "512M",
          hostNodes: "0",
        })),
      },
      pinning: { granularity: "node" },
    });
    expect(pins(plan(cells(4)))).toBe(Array(8).fill("0-7").join(" "));
    expect(problems(cells(5))).toEqual([
      "HOST_CPUS_SHORT numa.cells[1].cpus: host node 0 has 3 free CPUs on 2 cores for the 5 vCPUs of cell 1; 5 free host CPUs",
    ]);
  });
});

describe("cells and host nodes", () => {
  const cells = (cells: object[], cpus = 4) => ({
    cpus: { boot: cpus },
    memory: { size: "1G" },
    numa: { cells },
    pinning: { vcpus: "auto" },
  });

  it("a cell that may run anywhere leaves a bound one its node", () => {
    const planned = plan(
      cells(
        [
          { cpus: "0-7", memory: "512M" },
          { cpus: "8-15", memory: "512M", hostNodes: "0" },
        ],
        16,
      ),
      { host: "sparse" },
    );
    // Node 0 has eight CPUs in all, and the most room of all nodes.
    expect(pins(planned)).toBe("4 5 6 10 8 9 11 16 0 1 2 3 12 13 14 15");
  });

  it("a cell on two nodes leaves the one that is bound to one of them its CPUs", () => {
    const planned = plan(
      cells(
        [
          { cpus: "0-5", memory: "512M", hostNodes: "0,8" },
          { cpus: "6-13", memory: "512M", hostNodes: "0" },
        ],
        14,
      ),
      { host: "sparse" },
    );
    expect(pins(planned)).toBe("10 8 9 11 22 20 0 1 2 3 12 13 14 15");
  });

  it("a cell on a node without CPUs runs on the nearest that has some", () => {
    // Node 5 is at 17 from node 0, 28 from the others.
    expect(pins(plan(cells([{ cpus: "0-3", memory: "1G", hostNodes: "5" }]), { host: "sparse" }))).toBe(
      "0 1 2 3",
    );
  });

  it("a cell without memory runs on a node without memory", () => {
    const planned = plan(
      cells([
        { cpus: "0-1", memory: "1G", hostNodes: "0" },
        { cpus: "2-3", hostNodes: "2" },
      ]),
      { host: "sparse" },
    );
    expect(pins(planned)).toBe("0 1 4 5");
  });

  it("a cell without CPUs needs none", () => {
    const planned = plan(
      cells([
        { cpus: "0-3", memory: "512M", hostNodes: "0" },
        { memory: "512M", hostNodes: "5" },
      ]),
      { host: "sparse" },
    );
    expect(pins(planned)).toBe("0 1 2 3");
  });

  it("offline CPUs are left out, and a CPU whose sibling is offline is a whole core", () => {
    // Node 8 has cores 8/20, 9/21, 10/22, and 11 alone, whose sibling 23 is offline.
    const planned = plan(cells([{ cpus: "0-6", memory: "1G", hostNodes: "8" }], 7), { host: "sparse" });
    expect(pins(planned)).toBe("10 8 9 11 22 20 21");
  });

  it("a guest without cells takes the node with the most room, or all when none has enough", () => {
    expect(pins(plan({ pinning: { vcpus: "auto" } }, { host: "sparse" }))).toBe("0 1");
    expect(pins(plan({ cpus: { boot: 9 }, pinning: { vcpus: "auto" } }, { host: "sparse" }))).toBe(
      "0 1 2 3 4 5 6 10 8",
    );
  });
});

describe("overcommit", () => {
  it("shares the node's CPUs but the reserved ones when there are too few", () => {
    const pinning = { vcpus: "auto", overcommit: true, reserve: "0" };
    const planned = plan({ cpus: { boot: 10 }, pinning });
    expect(pins(planned)).toBe(Array(10).fill("1-7").join(" "));
    expect(planned.placement.vcpus.some((vcpu) => vcpu.exclusive)).toBe(false);
  });

  it("shares even reserved CPUs when nothing else is left", () => {
    const pinning = { vcpus: "auto", overcommit: true, reserve: "0-7" };
    expect(pins(plan({ pinning }))).toBe("0-7 0-7");
  });
});

describe("the emulator and the I/O threads", () => {
  const emulator = (changes: object, world?: World) => {
    const { placement } = plan({ iothreads: ["io"], ...changes }, world);
    return [placement.emulator, placement.iothreads[0]?.hostCpus].map((set) => set && formatIdSet(set));
  };

  it("go to the reserved CPUs, those that are online", () => {
    const pinning = { vcpus: "auto", reserve: "0,7" };
    expect(emulator({ pinning }, { host: "sparse" })).toEqual(["0", "0"]);
  });

  it("else to what is left on the cells' nodes", () => {
    expect(emulator({ pinning: { vcpus: "auto" } })).toEqual(["2-7", "2-7"]);
  });

  it("but to isolated CPUs only when there are no others", () => {
    const numa = { cells: [{ cpus: "0-1", memory: "1G", hostNodes: "8" }] };
    expect(emulator({ numa, pinning: { vcpus: "auto" } }, { host: "sparse" })).toEqual([
      "9,11,20-21",
      "9,11,20-21",
    ]);
    const host = recordedHost("laptop");
    const isolated = { ...host, cpus: host.cpus.map((cpu) => ({ ...cpu, isolated: true })) };
    expect(emulator({ pinning: { vcpus: "auto" } }, { host: isolated })).toEqual(["2-7", "2-7"]);
  });

  it("else to the scheduler", () => {
    expect(emulator({ cpus: { boot: 8 }, pinning: { vcpus: "auto" } })).toEqual([undefined, undefined]);
  });

  it("where the profile says otherwise, there", () => {
    const pinning = { vcpus: "auto", emulator: "6", iothreads: { io: "7" } };
    expect(emulator({ pinning })).toEqual(["6", "7"]);
  });
});

describe("threadPolicy", () => {
  const idle = ({ placement }: Plan) => formatIdSet(placement.idleCpus ?? []);
  const withPolicy = (threadPolicy: string, cpus: object, given: object = {}): object => ({
    cpus,
    pinning: { vcpus: "auto", threadPolicy, ...given },
  });
  const single = { boot: 3 };
  const siblings = { boot: 4, topology: { cores: 2, threads: 2 } };

  it("isolate leaves the other thread of each core idle, and nobody else gets it", () => {
    const planned = plan(withPolicy("isolate", single));
    expect([pins(planned), idle(planned)]).toEqual(["0 1 2", "4-6"]);
    expect(planned.placement.emulator).toEqual([3, 7]);
  });

  it("isolate has nothing idle where guest cores have as many threads", () => {
    const planned = plan(withPolicy("isolate", siblings));
    expect([pins(planned), idle(planned)]).toEqual(["0 4 1 5", ""]);
  });

  it("isolate is refused where whole cores run out", () => {
    expect(problems(withPolicy("isolate", { boot: 5 }))).toEqual([
      "HOST_CPUS_SHORT cpus.boot: host node 0 has 8 free CPUs on 4 cores for the 5 vCPUs of cell 0; 5 free host CPUs, a whole core for each guest core, as threadPolicy isolate says",
    ]);
  });

  it("require fills host cores, whatever the guest sees", () => {
    const planned = plan(withPolicy("require", single));
    expect([pins(planned), idle(planned)]).toEqual(["0 4 1", "5"]);
    expect(pins(plan(withPolicy("require", siblings)))).toBe("0 4 1 5");
  });

  it("require is refused where no core has a thread more", () => {
    const { cpus, ...host } = recordedHost("laptop");
    const plain = { ...host, cpus: cpus.map((cpu) => ({ ...cpu, siblings: [cpu.id] })) };
    expect(problems(withPolicy("require", single), { host: plain })).toEqual([
      expect.stringContaining("on whole cores of several threads, as threadPolicy require says"),
    ]);
  });

  it("keeps off the first core of each node when it is told to", () => {
    expect(pins(plan({ ...sockets(2), pinning: { reserve: "first-core" } }, ol8))).toBe(
      "1 61 2 62 16 76 17 77 31 91 32 92 46 106 47 107",
    );
    expect(plan({ ...sockets(2), pinning: { reserve: "first-core" } }, ol8).placement.emulator).toEqual([
      0, 15, 30, 45, 60, 75, 90, 105,
    ]);
  });
});

it("an I/O thread is on the node of its disks, where the emulator has CPUs there", () => {
  const disk = (id: string, bus?: string) => ({
    id,
    file: `${id}.raw`,
    format: "raw",
    iothread: `io-${id}`,
    bus,
  });
  const { placement } = plan(
    {
      ...sockets(2),
      pinning: { reserve: "first-core" },
      iothreads: ["io-far", "io-any"],
      pcie: { tree: [{ expander: "pxb2", numaNode: 2, ports: [{ rootPort: "rp2" }] }] },
      disks: [disk("far", "rp2"), disk("any")],
    },
    ol8,
  );
  expect(placement.iothreads.map(({ id, hostCpus = [] }) => `${id} ${formatIdSet(hostCpus)}`)).toEqual([
    "io-far 30,90",
    "io-any 0,15,30,45,60,75,90,105",
  ]);
});
