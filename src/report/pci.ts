import type { Host, IommuFacts, PciFunction } from "../host/topology.ts";
import { counted, type Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

/** A line of the tree: a root bus, a switch, a bridge to conventional PCI, or a device. */
interface Row {
  readonly depth: number;
  readonly name: string;
  readonly kind: string;
  readonly device?: PciFunction;
}

/**
 * The host's PCI devices as a tree, each below the switches and root bus that it shares with others. A root or downstream
 * port has one device, so it is not drawn; nor are the functions of the board itself.
 */
export function renderPci(functions: readonly PciFunction[], style: Style): string[] {
  const shown = functions.filter((each) => !isOfBoard(each));
  const rows = treeOf(shown);
  const devices = rows.filter(({ device }) => device !== undefined).length;
  const bridges = functions.filter(({ kind }) => kind !== "endpoint").length;
  const drawn = rows.filter(({ kind }) => kind === "switch" || kind === "PCI bridge").length;
  const left = [
    [bridges - drawn, "port", ""],
    [functions.length - bridges - devices, "function", " of the board"],
  ] as const;
  const texts = left.flatMap(([count, noun, of]) => (count > 0 ? `${counted(count, noun)}${of}` : []));
  return [
    ...renderTable(rows, columnsFor(functions), style),
    ...(texts.length === 0 ? [] : [style.colors.dim(`not drawn: ${texts.join(", ")} (--json has them)`)]),
  ];
}

/** "on, 86 groups, vfio-pci loaded, 57 address bits" */
export function describeIommu({ pci = [], iommu }: Pick<Host, "pci" | "iommu">): string | undefined {
  if (iommu === undefined) return undefined;
  const groups = new Set(pci.flatMap(({ iommuGroup }) => iommuGroup ?? [])).size;
  return [
    iommu.enabled ? `on, ${counted(groups, "group")}` : "off: no device can be given to a guest",
    driverWords[iommu.vfioPci],
    ...(iommu.iommufd ? ["iommufd"] : []),
    ...(iommu.addressBits === undefined ? [] : [`${iommu.addressBits} address bits`]),
  ].join(", ");
}

const driverWords: Record<IommuFacts["vfioPci"], string> = {
  loaded: "vfio-pci loaded",
  available: "vfio-pci not loaded yet",
  absent: "no vfio-pci on this system",
};

/** The words that `passthrough.devices[].select.class` knows, and some for what nobody passes through. */
const classWords: Readonly<Record<string, string>> = {
  "01": "storage",
  "0100": "scsi",
  "0104": "raid",
  "0106": "sata",
  "0107": "sas",
  "0108": "nvme",
  "02": "network",
  "0200": "ethernet",
  "0207": "infiniband",
  "03": "display",
  "0300": "vga",
  "0302": "3d",
  "0403": "audio",
  "05": "memory",
  "0600": "host bridge",
  "0601": "isa bridge",
  "0680": "bridge",
  "07": "serial",
  "08": "system",
  "0c03": "usb",
  "0c05": "smbus",
  "10": "crypto",
  "11": "signal",
  "12": "accelerator",
};

/** A PCI class in a word, or its digits. */
export function describePciClass(digits: string): string {
  return classWords[digits.slice(0, 4)] ?? classWords[digits.slice(0, 2)] ?? digits;
}

/** Host bridges, memory controllers, counters and the like on a root bus: a server has hundreds. */
function isOfBoard({ kind, parent, class: digits, driver, hostUse }: PciFunction): boolean {
  if (kind !== "endpoint" || parent !== undefined || hostUse !== undefined || driver === "vfio-pci")
    return false;
  return /^(05|06|08|11|0c05)/.test(digits);
}

function treeOf(functions: readonly PciFunction[]): Row[] {
  const below = new Map<string, PciFunction[]>();
  for (const each of functions) {
    const above = each.parent ?? each.rootBus;
    below.set(above, [...(below.get(above) ?? []), each]);
  }
  const rowsBelow = (above: string, depth: number): Row[] =>
    (below.get(above) ?? []).flatMap((each): Row[] => {
      const name = each.address;
      if (each.kind === "endpoint")
        return [{ depth, name, kind: describePciClass(each.class), device: each }];
      const isDrawn = each.kind === "upstream-port" || each.kind === "bridge";
      const rows = rowsBelow(name, isDrawn ? depth + 1 : depth);
      if (!isDrawn || rows.length === 0) return rows;
      return [{ depth, name, kind: each.kind === "bridge" ? "PCI bridge" : "switch" }, ...rows];
    });
  return [...new Set(functions.map(({ rootBus }) => rootBus))].flatMap((rootBus): Row[] => {
    const rows = rowsBelow(rootBus, 1);
    const nodes = new Set(
      functions.flatMap((each) => (each.rootBus === rootBus && each.node >= 0 ? each.node : [])),
    );
    const kind = nodes.size === 0 ? "" : `node ${[...nodes].join(", ")}`;
    return rows.length === 0 ? [] : [{ depth: 0, name: `root bus ${rootBus}`, kind }, ...rows];
  });
}

/** As with lspci, the domain is written where there is more than one. */
function columnsFor(functions: readonly PciFunction[]): Column<Row>[] {
  const hasDomains = functions.some(({ address }) => !address.startsWith("0000:"));
  const short = (name: string) => (hasDomains ? name : name.replace(/(^| )0000:/, "$1"));
  const blankUnless = (row: Row, value: (device: PciFunction) => string | number | undefined) =>
    row.device === undefined ? " " : value(row.device);
  return [
    { header: "PCI", value: ({ depth, name }) => `${"  ".repeat(depth)}${short(name)}`, isWhole: true },
    { header: "class", value: ({ kind }) => kind },
    {
      header: "ids",
      value: (row) => blankUnless(row, ({ vendor, device }) => `${vendor}:${device}`),
      isWhole: true,
    },
    {
      header: "group",
      value: (row) => blankUnless(row, ({ iommuGroup }) => iommuGroup),
      align: "right",
      isWhole: true,
    },
    { header: "driver", value: (row) => blankUnless(row, ({ driver }) => driver) },
    { header: "needed for", value: (row) => blankUnless(row, ({ hostUse }) => hostUse ?? " ") },
  ];
}
