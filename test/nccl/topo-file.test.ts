import { describe, expect, it } from "vitest";
import { parseXml, type XmlElement } from "../../src/host/xml.ts";
import { topoFile } from "../../src/nccl/index.ts";
import { predicted } from "./board.ts";

function parsed(text: string): XmlElement {
  const document = parseXml(text);
  if (typeof document === "string") throw new Error(document);
  return document;
}

/** "0000:db:00.0" with what is below, in brackets. */
const draw = ({ attributes, children }: XmlElement): string =>
  `${attributes.busid}${children.length > 0 ? `(${children.map(draw).join(" ")})` : ""}`;
const all = (element: XmlElement): XmlElement[] => [element, ...element.children.flatMap(all)];

describe("the topology file", () => {
  it("has the host's switches and links under the guest's addresses", () => {
    const { file, devices } = predicted("hgx-h200");
    const system = parsed(file);
    expect([system.name, system.attributes]).toEqual(["system", { version: "1" }]);
    expect(system.children.map(({ name, attributes }) => [name, attributes])).toEqual([
      ["cpu", { numaid: "0", affinity: "00000000,00000fff,ffffffff" }],
      ["cpu", { numaid: "1", affinity: "00ffffff,fffff000,00000000" }],
    ]);
    const pci = all(system).filter(({ name }) => name === "pci");
    expect(pci).toHaveLength(8 + 16);
    for (const { attributes } of pci) {
      expect(attributes).toMatchObject({ link_speed: "32.0 GT/s PCIe", link_width: "16" });
    }
    const busids = new Map(pci.map(({ attributes }) => [attributes.busid, attributes.class]));
    for (const { guestAddress, class: code } of devices) expect(busids.get(guestAddress)).toBe(`0x${code}`);
    // The upstream port: the root port above and the downstream ports below are no nodes of NCCL's.
    expect(system.children[1]?.children.slice(0, 2).map(draw)).toEqual([
      "0000:f0:00.0(0000:f2:00.0 0000:f3:00.0)",
      "0000:f4:00.0(0000:f6:00.0 0000:f7:00.0)",
    ]);
  });

  it("has a switch below a switch", () => {
    const [node] = parsed(predicted("a100x-dpu").file).children;
    expect(node?.children.map(draw)).toEqual([
      "0000:f3:00.0(0000:f6:00.0(0000:f8:00.0) 0000:f5:00.0 0000:f5:00.1)",
    ]);
  });

  it("makes up addresses for switches that the guest lacks, and keeps devices on their nodes", () => {
    const system = parsed(predicted("hgx-h200", { pcie: { mirror: false, tree: [] } }).file);
    const [first, second] = system.children;
    expect(system.children.map(({ attributes }) => attributes.numaid)).toEqual(["0", "1"]);
    const switches = [first, second].flatMap((cpu) =>
      cpu?.children.map(({ attributes }) => attributes.busid),
    );
    expect(switches).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((index) => `ffff:ff:00.${index}`));
    expect(first?.children.every(({ children }) => children.length === 2)).toBe(true);
  });

  it("leaves out a link that nobody told of: NCCL looks for itself", () => {
    const { devices, planned } = predicted("a100x-dpu");
    const blind = devices.map((device) => ({ ...device, host: { ...device.host, link: undefined } }));
    const pci = all(parsed(topoFile(blind, planned))).filter(({ name }) => name === "pci");
    const ofDevices = pci.filter(({ attributes }) => !attributes.class?.startsWith("0x06"));
    expect(ofDevices.flatMap(({ attributes }) => Object.keys(attributes))).toEqual(
      devices.flatMap(() => ["busid", "class"]),
    );
  });
});
