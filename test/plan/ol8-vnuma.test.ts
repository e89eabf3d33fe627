import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { argvItems } from "../../src/argv/index.ts";
import { parseIdSet } from "../../src/units/index.ts";
import { goldenProfiles, planGolden } from "../golden/cases.ts";

/*
 * The guest that was run by libvirt before, on the same host. Its command line and its domain are told again in
 * fixtures/: what they say about memory, NUMA, expander bus, port and NIC, in today's spelling, each under the ids
 * that libvirt gave. The plan must say all of it; it may say more.
 */

const profile = goldenProfiles.find(({ name }) => name === "ol8-vnuma")?.profile;
if (!profile) throw new Error("profiles/ol8-vnuma.json is gone");
const result = planGolden(profile, "ol8");
if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
const plan = result.value;

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");
const theirs = fixture("ol8-vnuma.libvirt.argv")
  .trim()
  .split("\n")
  .map((line) => {
    const [option = "", value = ""] = line.split(" ");
    return parseOption(option, value);
  });
const ours = argvItems(plan).map(({ words: [option = "", value = ""] }) => parseOption(option, value));

/** An option as a set of keys and values; the leading word is the key "". */
interface Option {
  readonly option: string;
  readonly properties: ReadonlyMap<string, string>;
}

function parseOption(option: string, value: string): Option {
  const pairs = value.split(",").map((part, index): [string, string] => {
    const equals = part.indexOf("=");
    if (equals === -1) return [index === 0 ? "" : part, part];
    return [part.slice(0, equals), part.slice(equals + 1)];
  });
  return { option, properties: new Map(pairs.map(([key, text]) => [key, plainNumber(text)])) };
}

/** Sizes and addresses in one spelling: 32G and 34359738368 are the same. */
function plainNumber(text: string): string {
  const size = /^(\d+)G$/.exec(text);
  return size ? String(Number(size[1]) * 2 ** 30) : text;
}

/** Keys whose values are ids, or buses named by one. */
const references = ["id", "bus", "memdev", "netdev", "chardev", "drive"];

/** Finds each of their options among ours, ids translated as they turn up. */
function translate(): { missing: Option[]; ids: Map<string, string> } {
  const ids = new Map([
    ["pcie.0", "pcie.0"],
    ["ide.0", "ide.0"],
  ]);
  const missing: Option[] = [];
  for (const wanted of theirs) {
    const found = ours.find((candidate) => isContained(wanted, candidate, ids));
    if (!found) {
      missing.push(wanted);
      continue;
    }
    for (const key of references) {
      const [their, our] = [wanted.properties.get(key), found.properties.get(key)];
      if (their !== undefined && our !== undefined) ids.set(their, our);
    }
  }
  return { missing, ids };
}

function isContained(wanted: Option, candidate: Option, ids: ReadonlyMap<string, string>): boolean {
  if (wanted.option !== candidate.option) return false;
  return [...wanted.properties].every(([key, value]) => {
    const our = candidate.properties.get(key);
    if (!references.includes(key)) return our === value;
    return our !== undefined && (ids.get(value) ?? our) === our;
  });
}

describe("the command line that libvirt made", () => {
  const { missing, ids } = translate();

  it("is contained in ours", () => expect(missing).toEqual([]));

  it("has its ids in ours", () => {
    expect(Object.fromEntries(ids)).toMatchObject({
      "pci.3": "pxb1",
      "pci.4": "rp-net",
      net0: "net0",
      hostnet0: "net0-netdev",
      "ram-node2": "ram-node2",
      "sata0-0-0": "root",
    });
  });

  it("would not be without the NIC's port", () => {
    const port = theirs.find((option) => option.properties.get("id") === "pci.4");
    const withoutPort = ours.filter((option) => option.properties.get("id") !== "rp-net");
    expect(port && withoutPort.some((candidate) => isContained(port, candidate, ids))).toBe(false);
  });
});

describe("the domain", () => {
  const domain = JSON.parse(fixture("ol8-vnuma.domain.json"));
  const { cells, vcpus } = plan.placement;

  it("has the same cells: vCPUs, memory, host nodes, distances", () => {
    expect(
      cells.map((cell) => [cell.vcpus, cell.memoryBytes, cell.policy, cell.hostNodes, cell.distances]),
    ).toEqual(
      domain.cells.map(
        (cell: { vcpus: string; memoryKib: number; hostNodes: string; distances: number[] }) => [
          parseIdSet(cell.vcpus),
          cell.memoryKib * 1024,
          "bind",
          parseIdSet(cell.hostNodes),
          cell.distances,
        ],
      ),
    );
  });

  it("pins each vCPU to the same host CPUs", () => {
    for (const [ids, hostCpus] of Object.entries<string>(domain.pins)) {
      for (const id of parseIdSet(ids) ?? []) expect(vcpus[id]?.hostCpus).toEqual(parseIdSet(hostCpus));
    }
    expect(vcpus).toHaveLength(16);
  });

  it("has the same vCPUs that can be removed", () => {
    const removable = vcpus.filter((vcpu) => vcpu.deviceId !== undefined).map((vcpu) => vcpu.id);
    expect(removable).toEqual(parseIdSet(domain.hotpluggable));
  });
});

it("puts the NIC below the expander bus of cell 1", () => {
  const at = (id: string) => plan.devices.find((device) => device.id === id);
  expect(at("net0")).toMatchObject({ driver: "virtio-net-pci", bus: "rp-net", numaNode: 1 });
  expect(at("rp-net")).toMatchObject({ driver: "pcie-root-port", bus: "pxb1", numaNode: 1 });
  expect(at("pxb1")).toMatchObject({ driver: "pxb-pcie", bus: "pcie.0", busNr: 254, numaNode: 1 });
});
