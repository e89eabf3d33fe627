import { expect, it } from "vitest";
import type { Host } from "../../src/host/index.ts";
import { cacheChoices, HostCores } from "../../src/plan/host-cores.ts";
import { formatIdSet } from "../../src/units/index.ts";
import { plan, recordedHost } from "./planning.ts";

/** The laptop's eight CPUs (cores 0/4, 1/5, 2/6, 3/7) in caches of two cores, or with other facts. */
function hostOf(given: (id: number) => object): Host {
  const host = recordedHost("laptop");
  return { ...host, cpus: host.cpus.map((cpu) => ({ ...cpu, ...given(cpu.id) })) };
}
const twoCaches = hostOf((id) => ({ l3: (id % 4) - (id % 2) }));
const pins = (changes: object, host: Host = twoCaches, taken: number[] = []) =>
  plan(
    { pinning: { vcpus: "auto" }, ...changes },
    { host, ledger: [{ vm: "other", exclusiveCpus: taken }] },
  ).placement.vcpus.map(({ hostCpus }) => formatIdSet(hostCpus ?? []));

it("a guest stays below one cache where it fits, the fullest first", () => {
  expect(pins({ cpus: { boot: 2 } })).toEqual(["0", "1"]);
  expect(pins({ cpus: { boot: 1 } }, twoCaches, [2, 6])).toEqual(["3"]);
  expect(pins({ cpus: { boot: 2 } }, twoCaches, [0, 4])).toEqual(["2", "3"]);
});

it("a guest would rather cross caches than share host cores", () => {
  expect(pins({ cpus: { boot: 4 } })).toEqual(["0", "1", "2", "3"]);
  expect(pins({ cpus: { boot: 6 } })).toEqual(["0", "1", "2", "3", "4", "5"]);
});

it("guest siblings stay on host siblings below one cache", () => {
  const cpus = { boot: 4, topology: { cores: 2, threads: 2 } };
  expect(pins({ cpus }, twoCaches, [1])).toEqual(["2", "6", "3", "7"]);
});

it("isolated and tickless CPUs come first", () => {
  expect(
    pins(
      { cpus: { boot: 2 } },
      hostOf((id) => ({ isolated: id % 4 === 2 })),
    ),
  ).toEqual(["2", "0"]);
  expect(
    pins(
      { cpus: { boot: 1 } },
      hostOf((id) => ({ tickless: id % 4 === 3 })),
    ),
  ).toEqual(["3"]);
});

it("three caches are tried alone, then the two with the most room, then all", () => {
  const cores = new HostCores(
    hostOf((id) => ({ l3: Math.min(id % 4, 2) })),
    new Set([0]),
  );
  expect(cacheChoices(cores.on([0])).map((some) => some.map(({ cpus }) => formatIdSet(cpus)))).toEqual([
    ["4"],
    ["1,5"],
    ["2,6", "3,7"],
    ["1,5", "2,6", "3,7"],
    ["4", "1,5", "2,6", "3,7"],
  ]);
});
