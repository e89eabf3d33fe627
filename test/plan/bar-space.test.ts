import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ovmfLayout, ovmfPlaces, seabiosLayout } from "../../src/plan/bar-layouts.ts";
import {
  type BarNode,
  barTree,
  defaultKeepers,
  rootSpans,
  stackedBytes,
  sumOfBars,
} from "../../src/plan/bar-space.ts";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;
const bars = (...gibibytes: number[]): BarNode => ({ barBytes: gibibytes.map((size) => size * gibibyte) });
const port = (below: BarNode[], keeps?: number | "default"): BarNode => ({ keeps, below });
const one = (nodes: BarNode[]) => [{ id: "pcie.0", nodes }];
const gpu = bars(256, 32);

/** Size and alignment in GiB of what a root needs of a window of so many GiB. */
const inOvmf = (nodes: BarNode[], window = 32) =>
  rootSpans(one(nodes), ovmfLayout(window * gibibyte)).map(({ bytes, alignment }) => [
    bytes / gibibyte,
    alignment / gibibyte,
  ]);
const inSeabios = (nodes: BarNode[]) =>
  rootSpans(one(nodes), seabiosLayout).map(({ bytes }) => bytes / gibibyte);

describe("the windows of OVMF", () => {
  it("end with the last BAR and begin where the largest may", () => {
    expect(inOvmf([port([gpu])])).toEqual([[288, 256]]);
    // Three of 288 GiB, each at a multiple of 256: 0, 512, 1024.
    expect(inOvmf([port([gpu]), port([gpu]), port([gpu])])).toEqual([[1024 + 288, 256]]);
    expect(inOvmf([port([])])).toEqual([]);
  });

  it("count whole MiB in a bridge", () => {
    const span = rootSpans(one([port([{ barBytes: [16384] }])]), ovmfLayout(gibibyte));
    expect(span).toEqual([{ id: "pcie.0", bytes: mebibyte, alignment: mebibyte }]);
  });

  it("keep what a port reserves, as a power of two, or what its device needs", () => {
    expect(inOvmf([port([], 48 * gibibyte)])).toEqual([[64, 64]]);
    expect(inOvmf([port([gpu], 48 * gibibyte)])).toEqual([[288, 256]]);
    expect(inOvmf([port([bars(8)], 48 * gibibyte)])).toEqual([[64, 64]]);
  });

  it("keep a 256th for a hot-plug port, once they are larger than every OVMF's own", () => {
    expect(inOvmf([port([], "default")], 32)).toEqual([]);
    expect(inOvmf([port([], "default")], 128)).toEqual([[0.5, 0.5]]);
    expect(inOvmf([port([], "default")], 4608)).toEqual([[32, 32]]);
    expect(defaultKeepers([port([port([], "default"), port([gpu], 5)], "default")])).toBe(2);
  });
});

it("SeaBIOS rounds a bridge's window up to its largest BAR, at each level, and keeps nothing of its own", () => {
  expect(inSeabios([port([gpu])])).toEqual([512]);
  expect(inSeabios([port([port([gpu]), port([bars(1)])])])).toEqual([768]);
  expect(inSeabios([port([], "default")])).toEqual([]);
  expect(inSeabios([port([], 3 * gibibyte)])).toEqual([3]);
});

describe("roots", () => {
  const root = (id: string, bytes: number, alignment: number) => ({ id, bytes, alignment });

  it("take the lowest place that fits, in their order", () => {
    const places = ovmfPlaces([root("a", 3, 1), root("b", 8, 8), root("c", 4, 4), root("d", 2, 1)]);
    expect(places.map(({ id, start }) => `${id} ${start}`)).toEqual(["a 0", "b 8", "c 4", "d 16"]);
  });

  it("never overlap, and are aligned, whatever they need", () => {
    const anyRoot = fc
      .record({ power: fc.nat(6), times: fc.integer({ min: 1, max: 5 }), rest: fc.nat(63) })
      .map(({ power, times, rest }) => {
        const alignment = 2 ** power;
        return root("r", alignment * times + (rest % alignment), alignment);
      });
    fc.assert(
      fc.property(fc.array(anyRoot, { maxLength: 12 }), (roots) => {
        const places = ovmfPlaces(roots).sort((a, b) => a.start - b.start);
        for (const [index, { start, alignment }] of places.entries()) {
          expect(start % alignment).toBe(0);
          const before = places[index - 1];
          if (before) expect(start).toBeGreaterThanOrEqual(before.start + before.bytes);
        }
      }),
    );
  });
});

it("stacks pieces as tightly as their alignment allows, largest first", () => {
  const span = (bytes: number, alignment: number) => ({ bytes, alignment });
  expect(stackedBytes([span(1, 1), span(4, 4), span(6, 4)])).toBe(11);
  expect(stackedBytes([])).toBe(0);
});

const anyNode: fc.Arbitrary<BarNode> = fc.letrec<{ node: BarNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc
      .array(
        fc.nat(8).map((power) => 2 ** power * gibibyte),
        { maxLength: 3 },
      )
      .map((barBytes) => ({ barBytes })),
    fc.record({
      keeps: fc.constantFrom("default" as const, undefined, gibibyte, 48 * gibibyte),
      below: fc.array(tie("node"), { maxLength: 4 }),
    }),
  ),
})).node;

it("never needs less than the BARs come to, and never less in a larger window", () => {
  fc.assert(
    fc.property(fc.array(anyNode, { maxLength: 4 }), (nodes) => {
      const need = (window: number) => {
        const places = ovmfPlaces(rootSpans(one(nodes), ovmfLayout(window * gibibyte)));
        return Math.max(0, ...places.map(({ start, bytes }) => start + bytes));
      };
      expect(need(32)).toBeGreaterThanOrEqual(sumOfBars(nodes));
      expect(need(4096)).toBeGreaterThanOrEqual(need(32));
      const seabios = rootSpans(one(nodes), seabiosLayout).reduce((sum, { bytes }) => sum + bytes, 0);
      expect(seabios).toBeGreaterThanOrEqual(sumOfBars(nodes));
    }),
  );
});

it("reads the tree of a plan: expander buses by number, ports with what they keep", () => {
  const at = { slot: 0, function: 0, numaNode: undefined };
  const device = (id: string, driver: string, bus: string, more = {}) => ({
    id,
    driver,
    bus,
    ...at,
    ...more,
  });
  const devices = [
    device("late", "pxb-pcie", "pcie.0", { busNr: 200 }),
    device("early", "pxb-pcie", "pcie.0", { busNr: 100 }),
    device("rp", "pcie-root-port", "late"),
    device("up", "x3130-upstream", "rp"),
    device("dp", "xio3130-downstream", "up"),
    device("gpu", "vfio-pci", "dp"),
    device("spare", "pcie-root-port", "pcie.0"),
  ];
  const option = (id: string, properties: object) => ({
    option: "device" as const,
    driver: "x",
    id,
    properties: { ...properties },
    because: [],
  });
  const options = [option("rp", { hotplug: false }), option("spare", { "pref64-reserve": 5 })];
  expect(barTree(devices, options, () => [7])).toEqual([
    { id: "pcie.0", nodes: [{ keeps: 5, below: [] }] },
    { id: "early", nodes: [] },
    {
      id: "late",
      nodes: [
        {
          keeps: undefined,
          below: [{ keeps: undefined, below: [{ keeps: "default", below: [{ barBytes: [7] }] }] }],
        },
      ],
    },
  ]);
});
