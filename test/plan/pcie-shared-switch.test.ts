import { describe, expect, it } from "vitest";
import { shareSwitches } from "../../src/plan/pcie-shared-switch.ts";

const slots = (count: number, group: string, cell?: number) =>
  Array.from({ length: count }, (_, index) => ({ address: `${group}${cell ?? ""}-${index}`, group, cell }));

describe("a switch that devices share", () => {
  it("has 32 ports, and a second one what is left", () => {
    const { tree, placeOf } = shareSwitches(slots(33, "a"), new Set());
    const ports = tree.map((node) => ("rootPort" in node ? node.switch?.downstream.length : 0));
    expect(ports).toEqual([32, 1]);
    expect(placeOf.get("a-32")).toEqual({ bus: "dp32", function: 0 });
  });

  it("is for one group of one cell; cells have one expander bus each", () => {
    const { tree } = shareSwitches(
      [...slots(1, "a", 0), ...slots(1, "b", 0), ...slots(1, "a", 1)],
      new Set(),
    );
    expect(tree.map((node) => ("expander" in node ? [node.numaNode, node.ports.length] : node))).toEqual([
      [0, 2],
      [1, 1],
    ]);
  });

  it("keeps clear of names that something has", () => {
    const { tree, placeOf } = shareSwitches(slots(1, "a"), new Set(["rp0", "dp0"]));
    expect(tree).toMatchObject([{ rootPort: "rp1", switch: { upstream: "sw0" } }]);
    expect(placeOf.get("a-0")?.bus).toBe("dp1");
  });
});
