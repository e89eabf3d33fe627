import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Holding, Host, HostCpu, HostNode } from "../../src/host/index.ts";
import type { Plan } from "../../src/plan/index.ts";
import { recordedHost, tryPlan } from "./planning.ts";

const gib = 2 ** 30;

/** Hosts of one to four nodes, with or without SMT, some CPUs offline, some in smaller caches. */
const anyHost = fc
  .record({
    nodes: fc.integer({ min: 1, max: 4 }),
    cores: fc.integer({ min: 1, max: 6 }),
    threads: fc.constantFrom(1, 2),
    coresPerCache: fc.constantFrom(1, 2, 6),
    offline: fc.array(fc.nat(47), { maxLength: 4 }),
  })
  .map(({ nodes, cores, threads, coresPerCache, offline }): Host => {
    const total = nodes * cores;
    const isOnline = (id: number) => id === 0 || !offline.includes(id);
    const cpus = Array.from({ length: total * threads }, (_, id): HostCpu => {
      const core = id % total;
      const siblings = Array.from({ length: threads }, (_unused, thread) => core + thread * total);
      return {
        ...{ id, online: isOnline(id), node: Math.floor(core / cores), socket: 0, die: 0, core },
        ...{ siblings: siblings.filter(isOnline), isolated: false },
        l3: core - (core % coresPerCache),
      };
    });
    return {
      ...recordedHost("laptop"),
      cpus,
      nodes: Array.from(
        { length: nodes },
        (_, id): HostNode => ({
          id,
          cpus: cpus.filter((cpu) => cpu.node === id && cpu.online).map((cpu) => cpu.id),
          ...{ memoryBytes: 64 * gib, freeBytes: 64 * gib, hugepages: [] },
          distances: Array.from({ length: nodes }, (_unused, other) => (other === id ? 10 : 20 + other)),
        }),
      ),
    };
  });

const anyGuest = fc.record({
  vcpus: fc.integer({ min: 1, max: 8 }),
  gibibytes: fc.integer({ min: 1, max: 40 }),
  mode: fc.constantFrom("host", "node"),
  distribution: fc.constantFrom("contiguous", "siblings", "round-robin", "interleave"),
  granularity: fc.constantFrom("core", "thread"),
  threadPolicy: fc.constantFrom("prefer", "isolate", "require"),
  reserve: fc.constantFrom("", "0", "first-core"),
});

type Guest = typeof anyGuest extends fc.Arbitrary<infer Value> ? Value : never;

function place(guest: Guest, host: Host, ledger: readonly Holding[]): Plan | undefined {
  const { vcpus, gibibytes, mode, distribution, ...pinning } = guest;
  const changes = {
    cpus: { boot: vcpus },
    memory: { size: `${gibibytes}G` },
    numa: { partition: { mode, distribution } },
    pinning,
  };
  const result = tryPlan(changes, { host, ledger });
  return result.ok ? result.value : undefined;
}

function holdingOf(vm: string, { placement }: Plan): Holding {
  return {
    vm,
    exclusiveCpus: [
      ...placement.vcpus.flatMap(({ hostCpus = [] }) => hostCpus),
      ...(placement.idleCpus ?? []),
    ],
    memory: placement.cells.map(({ memoryBytes, hostNodes }) => ({
      ...{ bytes: memoryBytes, pageSizeBytes: 0, hostNodes },
    })),
  };
}

/** Each event is a guest that comes, or the number of one that goes. */
const anyStream = fc.array(fc.oneof({ weight: 3, arbitrary: anyGuest }, fc.nat(20)), { maxLength: 12 });

/** Runs a stream; `see` looks at each guest that found a place beside those that were there. */
function run(
  host: Host,
  stream: readonly (Guest | number)[],
  see: (planned: Plan, guest: Guest, ledger: readonly Holding[]) => void,
): void {
  let ledger: readonly Holding[] = [];
  for (const [index, event] of stream.entries()) {
    if (typeof event === "number") {
      ledger = ledger.filter((_, place_) => place_ !== event % Math.max(1, ledger.length));
      continue;
    }
    const planned = place(event, host, ledger);
    if (!planned) continue;
    see(planned, event, ledger);
    ledger = [...ledger, holdingOf(`vm${index}`, planned)];
  }
}

const options = { numRuns: 150 };

describe("any stream of guests on any host", () => {
  it("gives no CPU twice, and none that is offline or reserved", () => {
    fc.assert(
      fc.property(anyHost, anyStream, (host, stream) => {
        run(host, stream, (planned, guest, ledger) => {
          const own = planned.placement.vcpus.flatMap(({ exclusive, hostCpus = [] }) =>
            exclusive ? hostCpus : [],
          );
          const cpus = guest.granularity === "core" ? [...new Set(own)] : own;
          expect(new Set(cpus).size).toBe(cpus.length);
          const taken = new Set(ledger.flatMap(({ exclusiveCpus }) => exclusiveCpus));
          expect(cpus.filter((id) => taken.has(id))).toEqual([]);
          expect(cpus.filter((id) => host.cpus[id]?.online !== true)).toEqual([]);
          if (guest.reserve !== "") expect(cpus).not.toContain(0);
        });
      }),
      options,
    );
  });

  it("gives no more memory of a node than it has", () => {
    fc.assert(
      fc.property(anyHost, anyStream, (host, stream) => {
        run(host, stream, (planned, _, ledger) => {
          const held = [...ledger, holdingOf("new", planned)].flatMap(({ memory = [] }) => memory);
          for (const { id, memoryBytes } of host.nodes) {
            const sum = held.reduce(
              (bytes, each) => bytes + (each.hostNodes?.includes(id) ? each.bytes : 0),
              0,
            );
            expect(sum).toBeLessThanOrEqual(memoryBytes);
          }
        });
      }),
      options,
    );
  });

  it("keeps the vCPUs of a cell on its node, and the threads of a core in one cell", () => {
    fc.assert(
      fc.property(anyHost, anyStream, (host, stream) => {
        run(host, stream, ({ placement }) => {
          const cellOf = new Map<string, number>();
          for (const { socket, core, cell, hostCpus = [] } of placement.vcpus) {
            const home = placement.cells[cell]?.hostNodes ?? [];
            expect(hostCpus.filter((id) => !home.includes(host.cpus[id]?.node ?? -1))).toEqual([]);
            const key = `${socket}/${core}`;
            expect(cellOf.get(key) ?? cell).toBe(cell);
            cellOf.set(key, cell);
          }
        });
      }),
      options,
    );
  });

  it("gives the same answer again, and still one when a guest has gone", () => {
    fc.assert(
      fc.property(anyHost, anyStream, (host, stream) => {
        run(host, stream, (planned, guest, ledger) => {
          expect(place(guest, host, ledger)).toEqual(planned);
          for (const gone of ledger) {
            expect(
              place(
                guest,
                host,
                ledger.filter((holding) => holding !== gone),
              ),
            ).toBeDefined();
          }
        });
      }),
      { numRuns: 60 },
    );
  });
});
