import type { Profile, TreeRootPort, TreeSwitch } from "../profile/index.ts";

/** Ids that the profile gives to devices, so that made-up ones stay clear of them before they are claimed. */
export function profileDeviceIds(profile: Profile): ReadonlySet<string> {
  const { pcie, disks, networks, filesystems, consoles, memory, standIns, passthrough } = profile;
  return new Set([
    ...pcie.tree.flatMap((node) =>
      "expander" in node ? [node.expander, ...node.ports.flatMap(portIds)] : portIds(node),
    ),
    ...[...disks, ...networks, ...filesystems, ...consoles, ...memory.devices, ...standIns].flatMap(
      ({ id }) => id ?? [],
    ),
    ...passthrough.devices.flatMap(({ id }) => id ?? []),
  ]);
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
