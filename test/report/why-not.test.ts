import { expect, it } from "vitest";
import { renderWhyNot } from "../../src/report/index.ts";
import { plain } from "./style.ts";

const gib = 2 ** 30;
const db = {
  kind: "vm",
  holding: {
    vm: "db",
    exclusiveCpus: [5, 1, 2],
    memory: [{ bytes: 4 * gib, pageSizeBytes: gib, hostNodes: [0] }],
    pciFunctions: ["0000:18:00.0"],
  },
} as const;

it("tells the sets, a line a thing", () => {
  const wish = { kind: "wish", key: "pinning.reserve", value: "0-1" } as const;
  const idle = { kind: "vm", holding: { vm: "idle", exclusiveCpus: [] } } as const;
  expect(renderWhyNot("train", { kind: "obstacles", sets: [[db], [wish, idle]] }, plain)).toEqual([
    "train starts when the fewest of these go:",
    "  db, which has host CPU 1-2,5, 4 x 1 GiB of node 0, 0000:18:00.0",
    "or",
    '  pinning.reserve "0-1" of the profile',
    "  idle, which has nothing that is counted",
  ]);
});

it("says that nothing does", () => {
  expect(renderWhyNot("train", { kind: "fits" }, plain)).toEqual(["nothing stands in the way of train"]);
});
