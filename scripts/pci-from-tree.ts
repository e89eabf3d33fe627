import type { Host, PciFunction } from "../src/host/index.ts";

/** A function as a drawing has it: where it is, what it is called there, what is below it. */
export interface DrawnFunction {
  readonly address: string;
  /** A name of test/hosts/sources/pci-models.json; absent for a bridge. */
  readonly model?: string;
  readonly below: readonly DrawnFunction[];
}

export interface DrawnRootBus {
  readonly rootBus: string;
  readonly node: number;
  readonly functions: readonly DrawnFunction[];
}

export type PciModel = Pick<PciFunction, "class" | "vendor" | "device" | "bars"> &
  Partial<Pick<PciFunction, "driver" | "link" | "acs" | "virtualFunctions">>;

/** What no drawing of a host tells. */
export interface Added extends Pick<Host, "iommu"> {
  /** By address. */
  readonly hostUse: Readonly<Record<string, string>>;
  /** Names of models for bridges, by kind. */
  readonly bridges: Readonly<Record<Exclude<PciFunction["kind"], "endpoint">, string>>;
}

/** The functions of a drawing, by address. Each device and port gets an IOMMU group of its own, as with ACS. */
export function functionsOfTree(
  roots: readonly DrawnRootBus[],
  models: Readonly<Record<string, PciModel>>,
  added: Added,
): PciFunction[] {
  const functions = roots.flatMap(({ rootBus, node, functions }) => {
    const describe = (drawn: DrawnFunction, above?: PciFunction): PciFunction[] => {
      const kind = drawn.model === undefined ? kindOf(drawn, above) : "endpoint";
      const name = drawn.model ?? added.bridges[kind as keyof Added["bridges"]];
      const model = models[name];
      if (model === undefined) throw new Error(`no model is called "${name}"`);
      const hostUse = added.hostUse[drawn.address];
      const own: PciFunction = {
        address: drawn.address,
        rootBus,
        ...(above === undefined ? {} : { parent: above.address }),
        kind,
        node,
        ...model,
        ...(hostUse === undefined ? {} : { hostUse }),
      };
      const below = drawn.below.flatMap((each) => describe(each, own));
      return [{ ...own, ...linkDownTo(own, below) }, ...below];
    };
    return functions.flatMap((drawn) => describe(drawn));
  });
  return withGroups(functions.sort((a, b) => (a.address < b.address ? -1 : 1)));
}

/** Ports alternate down a tree; a bridge with no ports below it leads to conventional PCI. */
function kindOf({ below }: DrawnFunction, above: PciFunction | undefined): PciFunction["kind"] {
  if (above === undefined) return "root-port";
  if (above.kind === "upstream-port") return "downstream-port";
  return below.some(({ model }) => model === undefined) ? "upstream-port" : "bridge";
}

/** A root or downstream port with one device on it has that device's link. */
function linkDownTo(port: PciFunction, below: readonly PciFunction[]): Pick<PciFunction, "link"> {
  if (port.kind !== "root-port" && port.kind !== "downstream-port") return {};
  const child = below.find(({ parent }) => parent === port.address);
  return child?.link === undefined ? {} : { link: child.link };
}

/**
 * As the kernel sorts them: functions of a device share a group unless they have ACS, and what is behind a bridge to
 * conventional PCI shares that bridge's.
 */
function withGroups(functions: readonly PciFunction[]): PciFunction[] {
  const groups = new Map<string, number>();
  const kinds = new Map(functions.map(({ address, kind }) => [address, kind]));
  let next = 0;
  return functions.map((each) => {
    const { address, parent, acs } = each;
    const isConventional = parent !== undefined && kinds.get(parent) === "bridge";
    const sharedWith = isConventional ? parent : `${address.slice(0, -1)}0`;
    const shared = acs === undefined ? groups.get(sharedWith) : undefined;
    const iommuGroup = shared ?? next++;
    groups.set(address, iommuGroup);
    return { ...each, iommuGroup };
  });
}
