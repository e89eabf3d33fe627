import type { Files } from "../system/index.ts";
import type { HugepagePool } from "./topology.ts";

/** Of a folder's name around its number. */
const before = "hugepages-";
const behind = "kB";

/**
 * The pools below one folder, smallest pages first; sizes with no page at all are listed too, since the host has them.
 * Pages promised to a mapping that has not touched them yet are not free; the kernel counts those for the machine
 * only, not by node.
 * @see https://docs.kernel.org/admin-guide/mm/hugetlbpage.html
 */
export function readHugepages(files: Files, folder: string): HugepagePool[] {
  const pools: HugepagePool[] = [];
  for (const name of files.list(folder) ?? []) {
    if (!name.startsWith(before) || !name.endsWith(behind)) continue;
    const kibibytes = Number(name.slice(before.length, -behind.length));
    const count = (file: string) => Number(files.tryReadText(`${folder}/${name}/${file}`) ?? 0);
    const total = count("nr_hugepages");
    // Of none, none is free.
    const free = total === 0 ? 0 : count("free_hugepages") - count("resv_hugepages");
    pools.push({ pageSizeBytes: kibibytes * 1024, total, free: Math.max(0, free) });
  }
  return pools.sort((a, b) => a.pageSizeBytes - b.pageSizeBytes);
}
