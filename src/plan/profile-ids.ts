import type { Profile, TreeRootPort, TreeSwitch } from "../profile/index.ts";

/** Makes up ids of a word and a number, from 0, that are not taken and not given twice. */
export function idMaker(taken: ReadonlySet<string> = new Set()): (word: string) => string {
  const counts = new Map<string, number>();
  return (word) => {
    let number = counts.get(word) ?? 0;
    while (taken.has(`${word}${number}`)) number++;
    counts.set(word, number + 1);
    return `${word}${number}`;
  };
}

/** Ids of the buses and ports of the profile's tree. */
export function treeIds({ pcie }: Profile): string[] {
  return pcie.tree.flatMap((node) =>
    "expander" in node ? [node.expander, ...node.ports.flatMap(portIds)] : portIds(node),
  );
}

/** Ids that the profile gives to devices, so that made-up ones stay clear of them before they are claimed. */
export function profileDeviceIds(profile: Profile): ReadonlySet<string> {
  const { disks, networks, filesystems, consoles, memory, standIns, passthrough } = profile;
  return new Set([
    ...treeIds(profile),
    ...[...disks, ...networks, ...filesystems, ...consoles, ...memory.devices, ...standIns].flatMap(
      ({ id }) => id ?? [],
    ),
    ...passthrough.devices.flatMap(({ id }) => id ?? []),
  ]);
}

/** The cell of a bus that the profile's tree has, by the expander bus that it hangs from. */
export function cellOfBus({ pcie }: Profile, bus: string): number | undefined {
  const expander = pcie.tree.find(
    (node) => "expander" in node && [node.expander, ...node.ports.flatMap(portIds)].includes(bus),
  );
  return expander && "expander" in expander ? expander.numaNode : undefined;
}

function portIds({ rootPort, switch: below }: TreeRootPort): string[] {
  return [rootPort, ...switchIds(below)];
}

function switchIds(node: TreeSwitch | undefined): string[] {
  if (!node) return [];
  return [
    node.upstream,
    ...node.downstream.flatMap(({ port, switch: below }) => [port, ...switchIds(below)]),
  ];
}
