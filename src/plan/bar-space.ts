import type { QemuOption } from "./options.ts";
import { bridgeDrivers, isUpstream } from "./pcie-switch.ts";
import type { PlannedDevice } from "./types.ts";

/** A piece of address space that begins at a multiple of its alignment. */
export interface Span {
  readonly bytes: number;
  readonly alignment: number;
}

/** What sits on a bus, as far as 64-bit windows go: a device's BARs, or a bridge with what is below it. */
export type BarNode =
  | { readonly barBytes: readonly number[] }
  | {
      /** What the port keeps for a device that comes later: bytes, the firmware's own choice, or nothing. */
      readonly keeps: number | "default" | undefined;
      readonly below: readonly BarNode[];
    };

/** pcie.0 or an expander bus. */
export interface BarRoot {
  readonly id: string;
  readonly nodes: readonly BarNode[];
}

/** How a firmware lays out what sits below a bridge. */
export interface Layout {
  /** The window of a bridge. */
  window(below: readonly Span[], keepsBytes: number): Span;
  /** What a port keeps that says nothing of it. */
  readonly defaultBytes: number;
}

export interface RootSpan extends Span {
  readonly id: string;
}

const mebibyte = 2 ** 20;

/**
 * The tree of a plan, roots by their bus number.
 * @param barBytesOf the 64-bit prefetchable BARs of a device; no bridge passes others on above 4 GiB
 */
export function barTree(
  devices: readonly PlannedDevice[],
  options: readonly QemuOption[],
  barBytesOf: (device: PlannedDevice) => readonly number[],
): BarRoot[] {
  const properties = new Map(
    options.flatMap((option) =>
      option.option === "device" ? [[option.id, option.properties] as const] : [],
    ),
  );
  const onBus = new Map<string, PlannedDevice[]>();
  for (const device of devices) {
    const siblings = onBus.get(device.bus);
    if (siblings) siblings.push(device);
    else onBus.set(device.bus, [device]);
  }
  const nodesOn = (bus: string): BarNode[] => {
    const on = onBus.get(bus) ?? [];
    // Two of one name, which is refused, could hang on each other.
    onBus.delete(bus);
    return on
      .filter(({ busNr }) => busNr === undefined)
      .map((device) => {
        if (!bridgeDrivers.has(device.driver)) return { barBytes: barBytesOf(device) };
        const { hotplug, "pref64-reserve": reserve } = properties.get(device.id) ?? {};
        const isHotplug = !isUpstream(device.driver) && hotplug !== false;
        const keeps = typeof reserve === "number" && reserve > 0 ? reserve : ("default" as const);
        return { keeps: isHotplug ? keeps : undefined, below: nodesOn(device.id) };
      });
  };
  const expanders = devices
    .filter(({ busNr }) => busNr !== undefined)
    .sort((a, b) => (a.busNr ?? 0) - (b.busNr ?? 0));
  return ["pcie.0", ...expanders.map(({ id }) => id)].map((id) => ({ id, nodes: nodesOn(id) }));
}

/** What each root needs, with the windows of its bridges; roots that need nothing are left out. */
export function rootSpans(roots: readonly BarRoot[], layout: Layout): RootSpan[] {
  return roots.flatMap(({ id, nodes }) => {
    const spans = spansOf(nodes, layout);
    if (spans.length === 0) return [];
    return [{ id, bytes: stackedBytes(spans), alignment: largestAlignment(spans) }];
  });
}

/** How many ports keep the firmware's own choice for later. */
export function defaultKeepers(nodes: readonly BarNode[]): number {
  return nodes.reduce(
    (count, node) =>
      "below" in node ? count + (node.keeps === "default" ? 1 : 0) + defaultKeepers(node.below) : count,
    0,
  );
}

/** All BARs below, without alignment and what ports keep. */
export function sumOfBars(nodes: readonly BarNode[]): number {
  return nodes.reduce(
    (sum, node) =>
      sum + ("below" in node ? sumOfBars(node.below) : node.barBytes.reduce((bytes, bar) => bytes + bar, 0)),
    0,
  );
}

/** Largest alignment first, and of equal ones those that end on it: what is left over comes last. */
export function stackedBytes(spans: readonly Span[]): number {
  const rest = ({ bytes, alignment }: Span) => bytes % alignment || alignment;
  const sorted = [...spans].sort((a, b) => b.alignment - a.alignment || rest(b) - rest(a));
  return sorted.reduce((end, { bytes, alignment }) => alignUp(end, alignment) + bytes, 0);
}

export function largestAlignment(spans: readonly Span[]): number {
  return Math.max(mebibyte, ...spans.map(({ alignment }) => alignment));
}

export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

export function nextPowerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(value));
}

function spansOf(nodes: readonly BarNode[], layout: Layout): Span[] {
  return nodes.flatMap((node) => {
    if (!("below" in node)) {
      return node.barBytes.map((bytes) => ({ bytes, alignment: nextPowerOfTwo(bytes) }));
    }
    const keepsBytes = node.keeps === "default" ? layout.defaultBytes : (node.keeps ?? 0);
    const window = layout.window(spansOf(node.below, layout), keepsBytes);
    return window.bytes > 0 ? [window] : [];
  });
}
