import type { P2pPair, P2pReason, P2pRoute } from "../plan/p2p.ts";
import type { P2pRelation } from "../plan/p2p-way.ts";
import type { Plan } from "../plan/types.ts";
import { printable, type Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

const relationSigns: Record<P2pRelation, string> = {
  device: "D",
  switch: "S",
  "root-complex": "R",
  node: "N",
  across: "A",
};

const routeSigns: Record<P2pRoute, string> = {
  direct: "=",
  "root-complex": "~",
  unproven: "?",
  none: "-",
};

const relationWords: Record<P2pRelation, string> = {
  device: "functions of one device",
  switch: "below one switch",
  "root-complex": "below one root complex",
  node: "on one node of the host",
  across: "on two nodes",
};

const routeWords: Record<P2pRoute, string> = {
  direct: "direct",
  "root-complex": "by the root complex and its IOMMU",
  unproven: "up to the processor, not proven",
  none: "not possible",
};

const reasonWords: Record<P2pReason["code"], string> = {
  "no-ats": "without ATS, or with ATS off: the IOMMU has to translate each request",
  redirected: "sends translated requests up as well (ACS DirectTrans is off): qlaunch acs apply",
  "not-redirected":
    "sends nothing up that is for an address of its switch (ACS ReqRedir is off): a guest's address that equals one goes astray",
  "translation-blocked": "refuses translated requests (ACS TransBlk is on): qlaunch acs apply",
  "config-closed": "ACS and ATS are not known: config space is open to root alone",
  processor: "whether this processor sends requests from one port on to another is not known",
  "between-root-complexes": "between root complexes it is up to the processor",
  "no-memory": "has no memory that VFIO maps",
  iommufd: "iommufd maps no device memory before Linux 6.19 and QEMU 11",
  "beyond-iommu": "64-bit BARs may lie beyond the addresses of the IOMMU",
};

/** Which devices reach each other's memory: requests of the row's device to that of the column's. */
export function renderP2p(pairs: readonly P2pPair[], devices: Plan["devices"], style: Style): string[] {
  if (pairs.length === 0) return [];
  const { colors } = style;
  const addresses = [...new Set(pairs.flatMap(({ devices: two }) => two))];
  const ids = new Map(devices.flatMap(({ id, hostAddress }) => (hostAddress ? [[hostAddress, id]] : [])));
  const cells = new Map(pairs.flatMap(cellsOf));
  const columns: Column<string>[] = [
    { header: "", value: (row) => addresses.indexOf(row), isWhole: true },
    { header: "device", value: (row) => ids.get(row), isWhole: true },
    { header: "address", value: (row) => row, isWhole: true },
    ...addresses.map(
      (column, index): Column<string> => ({
        header: String(index),
        value: (row) => (row === column ? "." : cells.get(`${row} ${column}`)),
        isWhole: true,
      }),
    ),
  ];
  return [
    colors.bold("P2P: requests of a device (row) to the memory of another (column)"),
    ...renderTable(addresses, columns, style).map((line) => `  ${line}`),
    ...legend(pairs).map((line) => `  ${line}`),
    ...whys(pairs, ids).map((line) => `  ${printable(line)}`),
  ];
}

function cellsOf({ devices: [first, second], relation, routes: [there, back] }: P2pPair): [string, string][] {
  const sign = relationSigns[relation];
  return [
    [`${first} ${second}`, `${sign}${routeSigns[there]}`],
    [`${second} ${first}`, `${sign}${routeSigns[back]}`],
  ];
}

/** Of what there is alone. */
function legend(pairs: readonly P2pPair[]): string[] {
  const explain = <Key extends string>(
    seen: readonly Key[],
    signs: Record<Key, string>,
    words: Record<Key, string>,
  ) =>
    (Object.keys(signs) as Key[])
      .filter((key) => seen.includes(key))
      .map((key) => `${signs[key]} ${words[key]}`)
      .join(", ");
  return [
    explain(
      pairs.map(({ relation }) => relation),
      relationSigns,
      relationWords,
    ),
    explain(
      pairs.flatMap(({ routes }) => routes),
      routeSigns,
      routeWords,
    ),
  ];
}

/** Each reason once, with what it is about: devices by their ids, ports by their addresses. */
function whys(pairs: readonly P2pPair[], ids: ReadonlyMap<string, string>): string[] {
  const about = new Map<P2pReason["code"], Set<string>>();
  for (const { code, at } of pairs.flatMap(({ reasons }) => reasons)) {
    const names = about.get(code) ?? new Set();
    if (at !== undefined) names.add(ids.get(at) ?? at);
    about.set(code, names);
  }
  return [...about].map(([code, names]) =>
    names.size === 0 ? reasonWords[code] : `${[...names].join(", ")}: ${reasonWords[code]}`,
  );
}
