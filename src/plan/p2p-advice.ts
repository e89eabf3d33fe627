import type { Diagnostic, JsonPath } from "../errors/index.ts";
import type { Host, PciFunction } from "../host/topology.ts";
import { acsBits } from "../units/index.ts";
import { isCapable, type P2pPair, planP2p } from "./p2p.ts";
import { listAddresses } from "./passthrough-select.ts";
import type { Plan } from "./types.ts";

const mellanox = "15b3";
const devicesPath: JsonPath = ["passthrough", "devices"];

/** What the advice is about: the devices that the guest gets, and the pairs of them. */
interface Given {
  readonly pci: ReadonlyMap<string, PciFunction>;
  readonly functions: readonly PciFunction[];
  readonly pairs: readonly P2pPair[];
  readonly cliques: ReadonlyMap<string, number>;
  pathOf(fn: PciFunction | undefined): JsonPath;
}

/**
 * Why devices would reach each other more slowly than they could, or not at all, as warnings. Nothing of it stands
 * against a start.
 * @see https://docs.nvidia.com/ai-enterprise/planning-resource/optimizing-vm-configuration-ai-inference/latest/
 */
export function adviseP2p(plan: Plan, host: Host): Diagnostic[] {
  const pci = new Map((host.pci ?? []).map((fn) => [fn.address, fn]));
  const passed = plan.run.passthrough.filter(({ deviceId }) => deviceId !== undefined);
  const paths = new Map(passed.map(({ address, profilePath }) => [address, profilePath]));
  const given: Given = {
    pci,
    functions: passed.flatMap(({ address }) => pci.get(address) ?? []),
    pairs: planP2p(plan, host),
    cliques: cliquesOf(plan),
    pathOf: (fn) => paths.get(fn?.address ?? "") ?? devicesPath,
  };
  // Config space that was closed shows neither ATS nor ACS.
  const isOpen = [...pci.values()].some((fn) => fn.ats !== undefined || fn.acs !== undefined);
  return [
    ...(isOpen ? [...adviseAts(given), ...adviseAcs(given)] : adviseRoot(given)),
    ...adviseCliques(given),
  ];
}

function adviseAts({ functions, pathOf }: Given): Diagnostic[] {
  const without = functions.filter((fn) => isNic(fn) && fn.ats !== true);
  const own = without.filter(({ vendor }) => vendor === mellanox);
  const others = without.filter(({ vendor }) => vendor !== mellanox);
  const needed =
    "ATS on, by which a NIC reaches GPUs below its switch without the way through the root complex";
  return [
    ...warnWhen(own.length > 0, pathOf(own[0]), () => ({
      found: `${describeNics(own)} without ATS`,
      needed,
      fix: `mst start; ${configCommands(own)}; then reboot the host`,
    })),
    ...warnWhen(others.length > 0, pathOf(others[0]), () => ({
      found: `${describeNics(others)} without ATS`,
      needed,
      fix: "switch it on with the tool of the vendor, where the NIC has it",
    })),
  ];
}

/** One of a virtual function is its physical function's. */
function configCommands(nics: readonly PciFunction[]): string {
  const addresses = [...new Set(nics.map(({ address, physicalFunction }) => physicalFunction ?? address))];
  return addresses.map((address) => `mlxconfig -d ${address} set ATS_ENABLED=true`).join("; ");
}

/** Ports by which NICs, and devices with ATS, come into a switch that they share with a GPU. */
function adviseAcs({ pci, pairs, functions, pathOf }: Given): Diagnostic[] {
  const asking = pairs.filter(({ devices, relation }) => {
    const two = devices.flatMap((address) => pci.get(address) ?? []);
    return relation === "switch" && two.some(isGpu) && two.some((fn) => isNic(fn) || fn.ats === true);
  });
  const ports = portsOf(asking, pci).filter(
    ({ acs }) => ((acs?.capability ?? 0) & acsBits.DirectTrans) !== 0,
  );
  return warnWhen(ports.length > 0, pathOf(functions.find(isGpu)), () => ({
    found: `${listAddresses(ports)} send${ports.length === 1 ? "s" : ""} translated requests up to the root complex`,
    needed:
      "ACS with DirectTrans and without TransBlk, by which requests of devices with ATS stay below the switch",
    fix: "as root, after each start of the host: qlaunch acs apply",
  }));
}

function portsOf(pairs: readonly P2pPair[], pci: Given["pci"]): PciFunction[] {
  const reasons = pairs.flatMap((pair) => pair.reasons);
  const at = reasons.flatMap(({ code, at: address }) =>
    code === "redirected" || code === "translation-blocked" ? (address ?? []) : [],
  );
  return [...new Set(at)].flatMap((address) => pci.get(address) ?? []);
}

/** GPUs of one clique, between which no way is known: the driver takes the number for a promise. */
function adviseCliques({ pci, pairs, cliques, pathOf }: Given): Diagnostic[] {
  const doubtful = pairs.filter((pair) => {
    const [clique, other] = pair.devices.map((address) => cliques.get(address));
    return clique !== undefined && clique === other && !isCapable(pair);
  });
  const numbers = [...new Set(doubtful.map(({ devices: [first] }) => cliques.get(first)))];
  return numbers.flatMap((number) => {
    const own = doubtful.filter(({ devices: [first] }) => cliques.get(first) === number);
    const gpus = [...new Set(own.flatMap(({ devices }) => devices))].flatMap(
      (address) => pci.get(address) ?? [],
    );
    return warnWhen(true, pathOf(gpus[0]), () => ({
      found: `${listAddresses(gpus)} in clique ${number}, and between ${own.length === 1 ? "the two" : `${own.length} pairs of them`} no way is known to work`,
      needed: "a clique of GPUs that reach each other's memory: the driver takes it for granted",
      fix: 'write "clique": "auto"; the table at the end of qlaunch plan --format explain says why',
    }));
  });
}

function adviseRoot({ pairs, pci, pathOf, functions }: Given): Diagnostic[] {
  const nears = pairs.some(({ relation, devices }) => {
    const two = devices.flatMap((address) => pci.get(address) ?? []);
    return relation === "switch" && two.some(isGpu);
  });
  return warnWhen(nears, pathOf(functions.find(isGpu)), () => ({
    found: "ATS of NICs and ACS of ports are not known: config space is open to root alone",
    needed: "both, to say whether the devices reach each other directly",
    fix: "run the check as root, or make the snapshot as root",
  }));
}

function cliquesOf({ options, devices }: Plan): Map<string, number> {
  const addresses = new Map(devices.map(({ id, hostAddress }) => [id, hostAddress]));
  return new Map(
    options.flatMap((option): [string, number][] => {
      if (option.option !== "device") return [];
      const clique = option.properties["x-nv-gpudirect-clique"];
      const address = addresses.get(option.id ?? "");
      return typeof clique === "number" && address !== undefined ? [[address, clique]] : [];
    }),
  );
}

function isNic({ class: code }: PciFunction): boolean {
  return code.startsWith("02");
}

/** Displays and accelerators. */
function isGpu({ class: code }: PciFunction): boolean {
  return code.startsWith("03") || code.startsWith("12");
}

function describeNics(nics: readonly PciFunction[]): string {
  return `${listAddresses(nics)}, ${nics.length === 1 ? "a NIC" : "NICs"}`;
}

function warnWhen(
  condition: boolean,
  path: JsonPath,
  words: () => Pick<Diagnostic, "found" | "needed" | "fix">,
): Diagnostic[] {
  return condition ? [{ code: "HOST_P2P", severity: "warning", path, ...words() }] : [];
}
