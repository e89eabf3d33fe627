import { describe, expect, it } from "vitest";
import type { Host } from "../../src/host/index.ts";
import { plan, recordedHost, values, type World } from "./planning.ts";

const sparse = recordedHost("sparse");
const cell = (hostNodes: string | undefined, memory: string) => ({
  memory: { size: memory, prealloc: true },
  numa: { cells: [{ cpus: "0-1", memory, ...(hostNodes ? { hostNodes } : {}) }] },
});
const planned = (changes: object, host: Host = sparse) => {
  const result = plan(changes, { host } satisfies World);
  const [context, backend] = values(result, "object");
  const decision = result.decisions.find(({ id }) => id === "numa.cell0.prealloc");
  return { context, backend, decision };
};
const threadsOf = (line: string | undefined) => Number(/prealloc-threads=(\d+)/.exec(line ?? "")?.[1]);

describe("threads that take pages", () => {
  it("are one for each CPU of the node, no more than QEMU makes", () => {
    const cpus = sparse.nodes.find(({ id }) => id === 0)?.cpus.length ?? 0;
    expect(threadsOf(planned(cell("0", "32G")).backend)).toBe(Math.min(16, cpus));
    expect(threadsOf(planned(cell("0", "256M")).backend)).toBe(Math.min(4, cpus));
  });

  it("are as many as the profile says", () => {
    const changes = cell("0", "1G");
    const memory = { ...changes.memory, preallocThreads: 3 };
    expect(threadsOf(planned({ ...changes, memory }).backend)).toBe(3);
  });

  it("run on the node, before the sandbox closes, with a time that is counted on", () => {
    const { context, backend, decision } = planned(cell("0", "32G"));
    expect(context).toBe("thread-context,id=prealloc-node0,node-affinity=0");
    expect(backend).toMatch(/,prealloc-context=prealloc-node0$/);
    expect(decision?.value).toMatch(/^\d+ threads on host node 0, about \d+ s$/);
    expect(decision?.rule).toContain("before the sandbox closes");
    const sandbox = values(plan(cell("0", "1G"), { host: sparse }), "sandbox");
    expect(sandbox).toEqual([expect.stringContaining("resourcecontrol=deny")]);
  });

  it("leave out isolated CPUs when the node has others", () => {
    const [first, ...others] = sparse.nodes.find(({ id }) => id === 0)?.cpus ?? [];
    const isolate = (ids: readonly number[]): Host => ({
      ...sparse,
      cpus: sparse.cpus.map((cpu) => ({ ...cpu, isolated: ids.includes(cpu.id) })),
    });
    const { context, decision } = planned(cell("0", "1G"), isolate(others));
    expect(context).toBe(`thread-context,id=prealloc-node0,cpu-affinity=${first}`);
    expect(decision?.facts.join()).toContain("isolated CPUs are left out");
    expect(planned(cell("0", "1G"), isolate([first ?? 0, ...others])).context).toContain("node-affinity=0");
  });
});

describe("threads are not placed", () => {
  const without = (changes: object, host?: Host) => {
    const { context, decision } = planned(changes, host);
    expect(context).toMatch(/^memory-backend-ram,.*prealloc=on,prealloc-threads=\d+$/);
    return decision?.facts.at(-1);
  };

  it("for memory that is not bound", () => {
    expect(without(cell(undefined, "1G"))).toBe("the memory is not bound, so its threads are not placed");
  });

  it("on a node without CPUs, or without any that this program may use", () => {
    expect(without(cell("5", "1G"))).toBe("host node 5 has no CPU for threads");
    const elsewhere = sparse.cpus.filter(({ node }) => node !== 0).map(({ id }) => id);
    const nodes = sparse.nodes.map(({ id }) => id);
    const host = { ...sparse, share: { cpus: elsewhere, nodes } } as Host;
    expect(without({ ...cell("0", "1G"), pinning: { vcpus: "none" } }, host)).toBe(
      "host node 0 has no CPU for threads",
    );
  });

  it("by a QEMU that cannot", () => {
    const objects = ["memory-backend-ram", "rng-random"];
    const host = { ...sparse, qemu: { ...(sparse.qemu ?? {}), devices: [], objects } } as unknown as Host;
    expect(without(cell("0", "1G"), host)).toContain("it has no thread-context, which came with 7.2");
  });
});
