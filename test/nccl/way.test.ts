import { describe, expect, it } from "vitest";
import { linkBetween, ncclGBs } from "../../src/nccl/link.ts";
import { narrowestGBs, ncclWord, topoWord, type Way } from "../../src/nccl/way.ts";

const link = { speed: 32, width: 16 };
let slots = 0;
const way = (switches: readonly string[], hostBridge = "a", node = 0): Way => ({
  ...{ hostBridge, node: node < 0 ? undefined : node, link, slot: `slot ${slots++}` },
  switches: switches.map((id) => ({ id, link })),
});

describe("two ways", () => {
  it.each([
    ["below one switch", way(["s"]), way(["s"]), "PIX", "PIX"],
    ["one behind another switch", way(["t", "s"]), way(["s"]), "PXB", "PXB"],
    ["both behind switches of their own", way(["t", "s"]), way(["u", "s"]), "PXB", "PXB"],
    ["below two switches", way(["s"]), way(["t"]), "PHB", "PHB"],
    ["at root ports", way([]), way([]), "PHB", "PHB"],
    ["at host bridges of a node", way(["s"]), way(["t"], "b"), "NODE", "PHB"],
    ["on two nodes", way(["s"]), way(["t"], "b", 1), "SYS", "SYS"],
    ["one on a node that nobody knows", way([]), way([], "b", -1), "SYS", "SYS"],
    ["both on such a node", way([], "a", -1), way([], "b", -1), "SYS", "PHB"],
  ])("%s", (_, one, other, smi, nccl) => {
    expect([topoWord(one, other), topoWord(other, one)]).toEqual([smi, smi]);
    expect([ncclWord(one, other), ncclWord(other, one)]).toEqual([nccl, nccl]);
  });

  it("of two functions in one slot have nothing but their port between", () => {
    const one = way([]);
    expect(topoWord(one, { ...one })).toBe("PIX");
  });
});

describe("a link", () => {
  it.each([
    [{ speed: 2.5, width: 1 }, 0.1875],
    [{ speed: 16, width: 16 }, 24],
    [{ speed: 32, width: 16 }, 48],
    [{ speed: undefined, width: 0 }, 12],
  ])("of %j counts %d GB/s", (given, expected) => {
    expect(ncclGBs(given)).toBe(expected);
  });

  it("is what both ends can do; an end of unknown speed does not slow it", () => {
    expect(linkBetween({ speed: 32, width: 8 }, { speed: 16, width: 16 })).toEqual({ speed: 16, width: 8 });
    expect(linkBetween({ speed: 32, width: 16 }, { speed: undefined, width: 0 })).toEqual({
      speed: 32,
      width: 0,
    });
    expect(linkBetween(undefined, link)).toBeUndefined();
  });

  it("that is not known leaves the narrowest place open", () => {
    expect(narrowestGBs(way(["s"]))).toBe(48);
    expect(narrowestGBs({ ...way(["s"]), link: undefined })).toBeUndefined();
  });
});
