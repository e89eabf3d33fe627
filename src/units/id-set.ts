/**
 * A set of CPU, vCPU or node numbers: sorted, without repeats.
 * Text form as in the kernel's cpulist, with exclusion: "0-3,^2,8" is 0, 1, 3 and 8.
 * @see https://docs.kernel.org/admin-guide/kernel-parameters.html (cpu lists)
 */
export type IdSet = readonly number[];

/** Far above any machine, and low enough that a typo does not fill the memory. */
const highestId = 1_048_575;

/** @returns the numbers, or undefined when the text is no list. An empty text is the empty set. */
export function parseIdSet(text: string): IdSet | undefined {
  const included = new Set<number>();
  const excluded = new Set<number>();
  const trimmed = text.trim();
  if (trimmed === "") return [];
  for (const part of trimmed.split(",")) {
    const match = /^\s*(\^?)(\d+)(?:-(\d+))?\s*$/.exec(part);
    if (!match) return undefined;
    const first = Number(match[2]);
    const last = match[3] === undefined ? first : Number(match[3]);
    if (last < first || last > highestId) return undefined;
    const target = match[1] ? excluded : included;
    for (let id = first; id <= last; id++) target.add(id);
  }
  return [...included].filter((id) => !excluded.has(id)).sort((a, b) => a - b);
}

/** Writes a set as the kernel does: "0-3,8". */
export function formatIdSet(ids: IdSet): string {
  return idRanges(ids)
    .map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
    .join(",");
}

/** The runs of consecutive numbers, each as [first, last]. */
export function idRanges(ids: IdSet): [first: number, last: number][] {
  const ranges: [number, number][] = [];
  for (const id of ids) {
    const range = ranges.at(-1);
    if (range && range[1] === id - 1) range[1] = id;
    else ranges.push([id, id]);
  }
  return ranges;
}

/** The members of the first set that the second lacks. */
export function idDifference(ids: IdSet, without: IdSet): IdSet {
  const excluded = new Set(without);
  return ids.filter((id) => !excluded.has(id));
}

/** The members of both sets. */
export function idIntersection(ids: IdSet, others: IdSet): IdSet {
  const other = new Set(others);
  return ids.filter((id) => other.has(id));
}

/** The members of any of the sets. */
export function idUnion(sets: readonly IdSet[]): IdSet {
  return [...new Set(sets.flat())].sort((a, b) => a - b);
}
