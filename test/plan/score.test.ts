import { describe, expect, it } from "vitest";
import type { Host, Ledger } from "../../src/host/index.ts";
import { type ScorePart, scorePlan } from "../../src/plan/score.ts";
import { plan, recordedHost } from "./planning.ts";

const laptop = recordedHost("laptop");
const ol8 = recordedHost("ol8");

function lineOf(part: ScorePart, changes: object, host: Host = laptop, ledger: Ledger = []): string {
  const { lines } = scorePlan(plan(changes, { host, ledger }), host, ledger);
  const line = lines.find((each) => each.part === part);
  return `${line?.good} of ${line?.all}`;
}
const auto = (given: object = {}) => ({ pinning: { vcpus: "auto", ...given } });
const pinned = (vcpus: object, given: object = {}) => ({ pinning: { vcpus, overcommit: true, ...given } });

describe("the score", () => {
  it("is 100 where all that applies is as it should be, and less by the weights of what is not", () => {
    const cells = [0, 1].map((id) => ({ cpus: String(id), memory: "512M", hostNodes: String(id) }));
    const whole = plan({ numa: { cells }, pinning: { granularity: "core" } }, { host: ol8 });
    expect(scorePlan(whole, ol8, []).total).toBe(100);
    // Half of the memory is away (30), all others that apply (threads 20, turns 10, left over 5) are good.
    const away = { numa: { cells }, pinning: { vcpus: { "0": "0", "1": "1" } } };
    const half = plan(away, { host: ol8 });
    const { total, lines } = scorePlan(half, ol8, []);
    expect(lines.map(({ part, good, all }) => `${part} ${good}/${all}`)).toEqual([
      ...["memory 1/2", "threads 2/2", "caches 0/0", "devices 0/0", "turns 2/2", "left over 116/118"],
    ]);
    expect(total).toBeCloseTo((100 * (30 / 2 + 20 + 10 + (5 * 116) / 118)) / 65);
  });

  it("says nothing of memory where there is one node", () => {
    expect(lineOf("memory", auto())).toBe("0 of 0");
  });

  it("counts guest cores that share a host core, and siblings that are apart", () => {
    expect(lineOf("threads", auto())).toBe("2 of 2");
    expect(lineOf("threads", pinned({ "0": "0", "1": "4" }))).toBe("0 of 2");
    const cpus = { boot: 4, topology: { cores: 2, threads: 2 } };
    expect(lineOf("threads", { cpus, ...auto() })).toBe("2 of 2");
    expect(lineOf("threads", { cpus, ...pinned({ "0": "0", "1": "1", "2": "2", "3": "6" }) })).toBe("1 of 2");
  });

  it("counts caches beyond those that would do", () => {
    const host = { ...laptop, cpus: laptop.cpus.map((cpu) => ({ ...cpu, l3: cpu.id % 2 })) };
    expect(lineOf("caches", auto(), host)).toBe("1 of 1");
    expect(lineOf("caches", pinned({ "0": "0", "1": "1" }), host)).toBe("1 of 2");
  });

  it("counts devices whose cell is not on their node", () => {
    const host = recordedHost("hgx-h200");
    const given = (hostNodes: string) => ({
      numa: { cells: [{ cpus: "0-1", memory: "1G", hostNodes }] },
      passthrough: { devices: [{ address: "0000:9b:00.0" }] },
    });
    expect(lineOf("devices", given("1"), host)).toBe("1 of 1");
    expect(lineOf("devices", given("0"), host)).toBe("0 of 1");
  });

  it("counts vCPUs that take turns", () => {
    expect(lineOf("turns", pinned({ "0-1": "3" }))).toBe("1 of 2");
    expect(lineOf("turns", { pinning: { vcpus: "none" } })).toBe("0 of 0");
  });

  it("counts what other guests left of cores", () => {
    const ledger = [{ vm: "other", exclusiveCpus: [7] }];
    expect(lineOf("left over", { cpus: { boot: 1 }, ...auto() }, laptop, ledger)).toBe("4 of 6");
  });
});
