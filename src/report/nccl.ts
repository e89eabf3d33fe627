import type { NcclPrediction } from "../nccl/index.ts";
import { counted, type Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

type Device = NcclPrediction["devices"][number];
type Pair = NcclPrediction["pairs"][number];
type Side = "guest" | "host";

const words: readonly (readonly [Pair["guest"], string])[] = [
  ["PIX", "at most one switch between"],
  ["PXB", "several switches"],
  ["PHB", "by the host bridge"],
  ["NODE", "by host bridges of one node"],
  ["SYS", "between nodes"],
];

/** `qlaunch nccl`: the matrix of nvidia-smi for the guest, the host's where it differs, and what each device is. */
export function renderNccl({ devices, pairs }: NcclPrediction, style: Style): string[] {
  if (devices.length === 0) return ["No GPU or NIC of the host is passed through."];
  const different = pairs.filter(({ guest, host }) => guest !== host);
  const seen = new Set(pairs.flatMap(({ guest, host }) => [guest, host]));
  const legend = words.flatMap(([word, meaning]) => (seen.has(word) ? [`${word} ${meaning}`] : []));
  const hasGpus = pairs.some(({ devices: two }) => two.every((name) => name.startsWith("GPU")));
  return [
    ...renderTable(devices, deviceColumns, style),
    "",
    ...renderMatrix("guest", devices, pairs, style),
    "",
    ...(different.length === 0
      ? pairs.length === 0
        ? []
        : [style.colors.green("The host says the same of each pair.")]
      : [
          ...renderMatrix("host", devices, pairs, style),
          "",
          style.colors.yellow(`* ${counted(different.length, "pair")} of ${pairs.length} not as on the host`),
        ]),
    ...(legend.length === 0 ? [] : [legend.join(", "), ...ncclLines(pairs)]),
    ...(hasGpus ? ["GPUs that NVLink joins are NV# instead: PCI does not show it"] : []),
  ];
}

const node = (value: number | undefined) => value ?? "none";
const GBs = (value: number | undefined) => value?.toFixed(1);

const deviceColumns: readonly Column<Device>[] = [
  { header: "", value: ({ name }) => name, isWhole: true },
  { header: "device", value: ({ id }) => id },
  { header: "guest", value: ({ guestAddress }) => guestAddress, isWhole: true },
  { header: "node", value: ({ guestNode }) => node(guestNode), align: "right" },
  { header: "GB/s", value: ({ guestGBs }) => GBs(guestGBs), align: "right" },
  { header: "host", value: ({ hostAddress }) => hostAddress, isWhole: true },
  { header: "node", value: ({ hostNode }) => node(hostNode), align: "right" },
  { header: "GB/s", value: ({ hostGBs }) => GBs(hostGBs), align: "right" },
];

function renderMatrix(
  side: Side,
  devices: readonly Device[],
  pairs: readonly Pair[],
  style: Style,
): string[] {
  const cells = new Map(
    pairs.flatMap((pair): [string, string][] => {
      const text = `${pair[side]}${pair.guest === pair.host ? "" : "*"}`;
      const [one, other] = pair.devices;
      return [
        [`${one} ${other}`, text],
        [`${other} ${one}`, text],
      ];
    }),
  );
  const columns: Column<Device>[] = [
    { header: "", value: ({ name }) => name, isWhole: true },
    ...devices.map(
      (column): Column<Device> => ({
        header: column.name,
        value: (row) => (row === column ? "X" : cells.get(`${row.name} ${column.name}`)),
        isWhole: true,
      }),
    ),
  ];
  return [
    style.colors.bold(`nvidia-smi topo -m ${side === "guest" ? "in the guest" : "on the host"}`),
    ...renderTable(devices, columns, style),
  ];
}

/** NCCL knows nodes and no host bridges. */
function ncclLines(pairs: readonly Pair[]): string[] {
  const renamed = (side: Side) =>
    new Set(
      pairs.flatMap((pair) =>
        pair[side] === pair.nccl[side] ? [] : [`${pair.nccl[side]} where it is ${pair[side]} here`],
      ),
    );
  const lines = [...new Set([...renamed("guest"), ...renamed("host")])];
  return lines.length === 0 ? [] : [`NCCL says ${lines.join(", ")}`];
}
