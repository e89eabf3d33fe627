import { expect, it } from "vitest";
import { importDomain } from "../../../src/import/libvirt/index.ts";
import { formatIdSet } from "../../../src/units/index.ts";
import { byHand, placesOnSwitches } from "../../plan/hgx-by-hand.ts";
import { plan, recordedHost } from "../../plan/planning.ts";

const pci = (bus: number, slot: number, fn = 0) =>
  `<address type='pci' domain='0x0000' bus='0x${bus.toString(16)}' slot='0x${slot.toString(16)}' function='0x${fn}'/>`;

/**
 * The domain that an expert wrote for this board: an expander bus a socket, a root port and a switch of four ports for
 * each of the host's switches, 88 vCPUs with pins and no distances, memory that may be on either node.
 */
function domain(): string {
  const controllers: string[] = [];
  let index = 1;
  const controller = (model: string, address: string, inside = "") => {
    controllers.push(
      `<controller type='pci' index='${index}' model='${model}'>${inside}${address}</controller>`,
    );
    return index++;
  };
  const portOf = new Map<string, number>();
  for (const [cell, rootPorts] of [4, 5].entries()) {
    const target = `<target busNr='${0x20 * (cell + 1)}'><node>${cell}</node></target>`;
    const expander = controller("pcie-expander-bus", pci(0, 3 + cell), target);
    for (let fn = 0; fn < rootPorts; fn++) {
      const upstream = controller(
        "pcie-switch-upstream-port",
        pci(controller("pcie-root-port", pci(expander, 0, fn)), 0),
      );
      for (let slot = 0; slot < 4; slot++) {
        portOf.set(`${cell},${fn},${slot}`, controller("pcie-switch-downstream-port", pci(upstream, slot)));
      }
    }
  }
  const hostdevs = Object.entries(byHand).map(([address, place]) => {
    const [, bus] = address.split(":");
    return `<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x${bus}' slot='0x00' function='0x0'/></source>${pci(portOf.get(place.join()) ?? 0, 0)}</hostdev>`;
  });
  // Node 0 has the even CPUs of this host, node 1 the odd ones.
  const pins = Array.from(
    { length: 88 },
    (_, id) => `<vcpupin vcpu='${id}' cpuset='${id < 44 ? 4 + 2 * id : 5 + 2 * (id - 44)}'/>`,
  );
  return `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
    <name>hgx</name><memory unit='GiB'>1800</memory><vcpu placement='static'>88</vcpu>
    <cputune>${pins.join("")}</cputune>
    <os><type arch='x86_64' machine='q35'>hvm</type><loader readonly='yes' type='pflash'>/ovmf.fd</loader></os>
    <cpu mode='host-passthrough'><topology sockets='2' dies='1' cores='44' threads='1'/><numa>
      <cell id='0' cpus='0-43' memory='900' unit='GiB'/><cell id='1' cpus='44-87' memory='900' unit='GiB'/></numa></cpu>
    <numatune><memory mode='strict' nodeset='0-1'/></numatune>
    <devices>${controllers.join("")}${hostdevs.join("")}</devices>
    <qemu:commandline><qemu:arg value='-fw_cfg'/><qemu:arg value='opt/ovmf/X-PciMmio64Mb,string=4718592'/></qemu:commandline>
  </domain>`;
}

it("the expert's domain of an HGX board is planned as the mirrored host, with its memory bound by cell", () => {
  const host = recordedHost("hgx-h200");
  const result = importDomain(domain(), { host });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  expect(result.report.filter(({ verdict }) => verdict === "dropped")).toEqual([]);
  const { devices, placement, options } = plan(result.profile, { host });
  expect(placesOnSwitches(devices)).toEqual(byHand);
  expect(devices.flatMap(({ busNr = [] }) => busNr)).toEqual([32, 64]);
  expect(
    placement.cells.map(({ hostNodes, distances }) => [formatIdSet(hostNodes ?? []), distances]),
  ).toEqual([
    ["0", [10, 21]],
    ["1", [21, 10]],
  ]);
  const window = options.find(
    (option) => option.option === "fw_cfg" && option.properties.name === "opt/ovmf/X-PciMmio64Mb",
  );
  expect(window?.option === "fw_cfg" && window.properties.string).toBe("4718592");
});
