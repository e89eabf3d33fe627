import { expect, it } from "vitest";
import { readHugepages } from "../../src/host/hugepages.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const folder = "/sys/kernel/mm/hugepages";

function pool(kibibytes: number, counts: Record<string, number>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(counts).map(([file, count]) => [
      `${folder}/hugepages-${kibibytes}kB/${file}`,
      `${count}\n`,
    ]),
  );
}

it("lists the pools by size of page, not by name", () => {
  const tree = {
    ...pool(1048576, { nr_hugepages: 1, free_hugepages: 1 }),
    ...pool(2048, { nr_hugepages: 5, free_hugepages: 4 }),
    [`${folder}/README`]: "",
  };
  expect(readHugepages(fakeSystem(tree).files, folder)).toEqual([
    { pageSizeBytes: 2 ** 21, total: 5, free: 4 },
    { pageSizeBytes: 2 ** 30, total: 1, free: 1 },
  ]);
});

it("does not count pages as free that are promised to somebody", () => {
  const tree = pool(2048, { nr_hugepages: 5, free_hugepages: 4, resv_hugepages: 3 });
  expect(readHugepages(fakeSystem(tree).files, folder)).toEqual([
    { pageSizeBytes: 2 ** 21, total: 5, free: 1 },
  ]);
});

it("never counts below none", () => {
  const tree = pool(2048, { nr_hugepages: 0, free_hugepages: 0, resv_hugepages: 3 });
  expect(readHugepages(fakeSystem(tree).files, folder)).toEqual([
    { pageSizeBytes: 2 ** 21, total: 0, free: 0 },
  ]);
});

it("is empty on a kernel without huge pages", () => {
  expect(readHugepages(fakeSystem({}).files, folder)).toEqual([]);
});
