import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderArgv } from "../../src/argv/index.ts";
import type { Ledger } from "../../src/host/index.ts";
import { type Plan, planVm } from "../../src/plan/index.ts";
import { profileSchema } from "../../src/profile/schema.ts";
import { places, plan, recordedHost, tryPlan } from "./planning.ts";
import { anyProfile, soundBoardProfile, soundProfile } from "./random-profiles.ts";

const hosts = fc.constantFrom("ol8", "laptop", "sparse", "anuma", "hgx-h200");
const ledgers = fc.constantFrom([], [{ vm: "other", exclusiveCpus: [0, 4, 12] }]);
const anyWorld = fc.tuple(anyProfile, hosts, ledgers);
const soundWorld = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(soundProfile, fc.constantFrom("sparse", "anuma"), ledgers) },
  { weight: 1, arbitrary: fc.tuple(soundBoardProfile, fc.constant("hgx-h200"), ledgers) },
);
type World = [unknown, string, Ledger];

function tryWorld([input, host, ledger]: World) {
  return planVm({ profile: profileSchema.parse(input), host: recordedHost(host), ledger, places });
}

/** Checks every plan that comes of sound profiles. */
function forEveryPlan(check: (plan: Plan, world: World) => void) {
  let plans = 0;
  fc.assert(
    fc.property(soundWorld, (world) => {
      const result = tryWorld(world);
      if (!result.ok) return;
      plans++;
      check(result.value, world);
    }),
    { numRuns: 300 },
  );
  expect(plans).toBeGreaterThan(100);
}

describe("any profile that the schema accepts", () => {
  it("is planned, or refused with problems that have all their words", () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const result = tryWorld(world);
        const problems = result.ok ? result.warnings : result.diagnostics;
        expect(problems.some((problem) => problem.severity === "error")).toBe(!result.ok);
        for (const { found, needed, fix } of problems) {
          const text = `${found}\n${needed}\n${fix}`;
          expect(text).not.toMatch(/undefined|NaN|\[object|Infinity/);
          expect(Math.min(found.length, needed.length, fix.length)).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("every plan", () => {
  it("is the same each time, to the byte", () => {
    forEveryPlan((plan, world) => {
      const again = tryWorld(world);
      expect(again.ok && again.value).toEqual(plan);
      expect(again.ok && renderArgv(again.value)).toEqual(renderArgv(plan));
    });
  });

  it("has a decision behind every option, told once", () => {
    forEveryPlan((plan) => {
      const ids = plan.decisions.map((decision) => decision.id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { because } of plan.options) {
        expect(because.length).toBeGreaterThan(0);
        expect(because.filter((id) => !ids.includes(id))).toEqual([]);
      }
    });
  });

  it("puts no two devices in one place, and the functions of a slot where the guest finds them", () => {
    forEveryPlan(({ devices, options }) => {
      const taken = devices.map(({ bus, slot, function: fn }) => `${bus} ${slot}.${fn}`);
      expect(new Set(taken).size).toBe(taken.length);
      const properties = new Map(
        options.flatMap((option) =>
          option.option === "device" ? [[option.id, option.properties] as const] : [],
        ),
      );
      for (const { id, bus, slot, function: fn } of devices) {
        expect(slot).toBeLessThan(32);
        expect(fn).toBeLessThan(8);
        const others = devices.filter(
          (other) => other.bus === bus && other.slot === slot && other.function > 0,
        );
        if (fn === 0) expect(properties.get(id)?.multifunction === true).toBe(others.length > 0);
        else expect(taken).toContain(`${bus} ${slot}.0`);
      }
    });
  });

  it("numbers buses without overlap, below 256, and ports by chassis and slot", () => {
    forEveryPlan(({ devices, options }) => {
      const rootOf = (bus: string): string => {
        const parent = devices.find((entry) => entry.id === bus);
        return parent === undefined || parent.driver === "pxb-pcie" ? bus : rootOf(parent.bus);
      };
      const ports = devices.filter((entry) => /port|upstream|downstream/.test(entry.driver));
      const reserve = (id: string) => {
        const option = options.find((entry) => entry.option === "device" && entry.id === id);
        return option?.option === "device" ? Number(option.properties["bus-reserve"] ?? 0) : 0;
      };
      const used = new Map<number, string>();
      for (const root of [
        { id: "pcie.0", busNr: 0 },
        ...devices.filter((entry) => entry.busNr !== undefined),
      ]) {
        const below = ports.filter((port) => rootOf(port.bus) === root.id);
        const count = 1 + below.reduce((sum, port) => sum + 1 + reserve(port.id), 0);
        for (let number = root.busNr ?? 0; number < (root.busNr ?? 0) + count; number++) {
          expect(used.get(number)).toBeUndefined();
          expect(number).toBeLessThan(256);
          used.set(number, root.id);
        }
      }
      for (const key of ["chassis", "slot"]) {
        const numbers = options.flatMap((option) =>
          option.option === "device" && option.properties[key] !== undefined ? [option.properties[key]] : [],
        );
        expect(new Set(numbers).size).toBe(numbers.length);
        expect(numbers.every((number) => Number(number) >= 1 && Number(number) <= 255)).toBe(true);
      }
    });
  });

  it("gives no host CPU to two vCPUs, and none that is reserved, offline or another VM's", () => {
    forEveryPlan((plan, [input, host, ledger]) => {
      const { pinning } = profileSchema.parse(input);
      const kept = new Set([
        ...pinning.reserve,
        ...ledger.flatMap((holding) => holding.exclusiveCpus),
        ...recordedHost(host).cpus.flatMap((cpu) => (cpu.online ? [] : [cpu.id])),
      ]);
      const owners = new Map<number, number>();
      for (const vcpu of plan.placement.vcpus) {
        expect(vcpu.hostCpus?.filter((id) => kept.has(id)) ?? []).toEqual([]);
        if (!vcpu.exclusive) continue;
        // With granularity core, the threads of one guest core share a host core.
        const core = vcpu.id - vcpu.thread;
        for (const id of vcpu.hostCpus ?? []) {
          if (pinning.granularity === "core") expect(owners.get(id) ?? core).toBe(core);
          else expect(owners.has(id)).toBe(false);
          owners.set(id, core);
        }
      }
    });
  });

  it("passes each device once, and has it on the cell that is bound to its node", () => {
    let passed = 0;
    forEveryPlan(({ devices, placement, run }, [_, host]) => {
      const addresses = run.passthrough.map(({ address }) => address);
      expect(new Set(addresses).size).toBe(addresses.length);
      const placed = devices.flatMap(({ hostAddress }) => hostAddress ?? []);
      expect([...placed].sort()).toEqual([...addresses].sort());
      passed += addresses.length;
      for (const { id, bus, hostAddress, numaNode } of devices) {
        if (hostAddress === undefined || bus === "pcie.0") continue;
        expect(run.passthrough.find(({ address }) => address === hostAddress)?.deviceId).toBe(id);
        const node = recordedHost(host).pci?.find(({ address }) => address === hostAddress)?.node ?? -1;
        const bound = placement.cells.filter(({ hostNodes }) => hostNodes?.includes(node));
        expect(numaNode).toBe(bound[0]?.id);
      }
    });
    expect(passed).toBeGreaterThan(200);
  });

  it("has QEMU's ids once each", () => {
    forEveryPlan(({ options }) => {
      const ids = options.flatMap((option) =>
        "id" in option && option.id ? [`${option.option} ${option.id}`] : [],
      );
      expect(new Set(ids).size).toBe(ids.length);
    });
  });
});

it("runs the host's QEMU, or the one by name", () => {
  expect(plan().program).toBe("/usr/bin/qemu-system-x86_64");
  const { qemu: _, ...host } = recordedHost("laptop");
  expect(plan({}, { host }).program).toBe("qemu-system-x86_64");
});

it("tells all problems at once", () => {
  const result = tryPlan({
    cpus: { boot: 8, max: 4 },
    memory: { size: 0 },
    disks: [{ id: "a", file: "/a", format: "raw", device: "sata", iothread: "b" }],
  });
  const codes = result.ok ? [] : result.diagnostics.map(({ code }) => code);
  expect(codes).toEqual(["CPU_BOOT_ABOVE_MAX", "MEMORY_ALIGNMENT", "DISK_COMBINATION", "ID_UNKNOWN"]);
});
