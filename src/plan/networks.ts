import type { JsonPath } from "../errors/index.ts";
import type { Network } from "../profile/index.ts";
import { macAddressFor } from "../units/index.ts";
import type { DeviceSite } from "./device-site.ts";
import type { Draft } from "./draft.ts";
import type { Accelerator } from "./machine.ts";
import type { Properties } from "./options.ts";

/** Where distributions put it; the preflight takes the first that is there. */
const defaultBridgeHelper = "/usr/lib/qemu/qemu-bridge-helper";

export interface NetworkNeeds {
  readonly bridges: { name: string; helper: string }[];
  readonly taps: string[];
}

/** Network back ends and cards. */
export function planNetworks(draft: Draft, site: DeviceSite, accelerator: Accelerator): NetworkNeeds {
  const needs: NetworkNeeds = { bridges: [], taps: [] };
  const macs = new Map<string, string>();
  for (const [index, network] of draft.profile.networks.entries()) {
    const path = ["networks", index];
    checkNetwork(draft, network, path);
    const mac = network.mac ?? macAddressFor(draft.profile.name, network.id);
    checkMac(draft, macs, mac, network, path);
    const vhost = network.user === undefined && (network.vhost ?? accelerator === "kvm");
    const helper = network.bridgeHelper ?? defaultBridgeHelper;
    if (network.tap) needs.taps.push(network.tap);
    if (network.bridge) needs.bridges.push({ name: network.bridge, helper });
    const because = draft.decide("networks", `networks.${network.id}`, {
      value: `${network.model} on ${describeBackEnd(network)}, ${mac}${vhost ? ", vhost" : ""}`,
      rule: "A MAC address that the profile does not give comes from the VM's name and the id, so it stays. Packets are served in the kernel (vhost) under KVM.",
      source: "network",
    });
    const netdev = `${network.id}-netdev`;
    draft.add({
      option: "netdev",
      type: network.user ? "user" : "tap",
      id: netdev,
      properties: backEnd(network, helper, vhost),
      because: [because],
    });
    const virtio = network.model === "virtio";
    site.place({
      id: network.id,
      driver: virtio ? "virtio-net-pci" : "e1000e",
      properties: {
        netdev,
        mac,
        bootindex: network.boot,
        mq: network.queues > 1 ? true : undefined,
        // One for each direction of each pair, one for control, one for configuration changes.
        vectors: network.queues > 1 ? 2 * network.queues + 2 : undefined,
      },
      because: [because],
      path,
      bus: network.bus,
    });
  }
  return needs;
}

function backEnd(network: Network, helper: string, vhost: boolean): Properties {
  if (network.user) {
    return {
      restrict: network.user.restrict ? true : undefined,
      hostfwd: network.user.forward.length > 0 ? network.user.forward : undefined,
    };
  }
  if (network.bridge) return { br: network.bridge, helper, vhost: vhost ? true : undefined };
  return {
    ifname: network.tap,
    // The tap device is set up already; QEMU may start no programs.
    script: "no",
    downscript: "no",
    queues: network.queues > 1 ? network.queues : undefined,
    vhost: vhost ? true : undefined,
  };
}

function describeBackEnd(network: Network): string {
  if (network.user) return "QEMU's user network";
  return network.tap ? `tap ${network.tap}` : `bridge ${network.bridge}`;
}

function checkNetwork(draft: Draft, network: Network, path: JsonPath): void {
  const refuse = (keys: JsonPath, found: string, needed: string, fix: string) =>
    draft.refuse("NETWORK_COMBINATION", [...path, ...keys], { found, needed, fix });
  const kinds = (["user", "tap", "bridge"] as const).filter((kind) => network[kind] !== undefined);
  if (kinds.length !== 1) {
    refuse(
      [],
      kinds.length === 0 ? `${network.id} with no back end` : `${network.id} with ${kinds.join(" and ")}`,
      "one of user, tap and bridge",
      kinds.length === 0 ? 'add "user": {}, a tap or a bridge' : "keep one of them",
    );
    return;
  }
  if (network.queues > 1 && network.tap === undefined) {
    refuse(
      ["queues"],
      `${network.queues} queue pairs on ${describeBackEnd(network)}`,
      "a tap device made with multi_queue",
      "leave queues out, or use a tap device",
    );
  }
  if (network.queues > 1 && network.model !== "virtio") {
    refuse(
      ["queues"],
      `${network.queues} queue pairs on ${network.model}`,
      "model virtio",
      "leave queues out, or use virtio",
    );
  }
  if (network.vhost === true && network.user) {
    refuse(["vhost"], "vhost with the user network", "a tap or a bridge", "leave vhost out");
  }
  if (network.bridgeHelper !== undefined && network.bridge === undefined) {
    refuse(["bridgeHelper"], "a bridge helper without a bridge", "a bridge", "leave bridgeHelper out");
  }
  if (network.bridgeHelper !== undefined && /[\s]/.test(network.bridgeHelper)) {
    refuse(
      ["bridgeHelper"],
      `a space in ${network.bridgeHelper}`,
      "a path without spaces: QEMU reads one with spaces as a command line for the shell",
      "name the helper by another path",
    );
  }
}

function checkMac(
  draft: Draft,
  macs: Map<string, string>,
  mac: string,
  network: Network,
  path: JsonPath,
): void {
  const other = macs.get(mac);
  // Two cards with one id have one address as well; the id is what to mend.
  if (other !== undefined && other !== network.id) {
    draft.refuse("ID_DUPLICATE", [...path, network.mac === undefined ? "id" : "mac"], {
      found: `${mac} for ${network.id}, which ${other} has`,
      needed: "a MAC address of its own for each card",
      fix: "write another address, or leave mac out",
    });
  }
  macs.set(mac, network.id);
}
