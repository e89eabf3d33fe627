import type { JsonPath } from "../errors/index.ts";
import type { Console } from "../profile/index.ts";
import type { Draft } from "./draft.ts";
import type { PcieTree } from "./pcie.ts";

const agentPort = "org.qemu.guest_agent.0";
/** A PC has four serial ports. */
const serialPorts = 4;

/** Serial ports, virtio consoles, channels, and the guest agent's channel; each ends in a socket of the VM's own. */
export function planConsoles(draft: Draft, tree: PcieTree): void {
  const { consoles, guestAgent } = draft.profile;
  const agent = typeof guestAgent === "boolean" ? guestAgent : guestAgent.enabled;
  const counts = { serial: 0, virtio: 0, channel: 0 };
  const needsBus = agent || consoles.some((console) => console.type !== "serial");
  if (needsBus) {
    const because = draft.decide("consoles", "consoles.bus", {
      value: "virtio-serial",
      rule: "One controller carries the virtio consoles, the channels and the guest agent.",
      source: "virtioSerial",
    });
    tree.place({
      id: "vserial",
      driver: "virtio-serial-pci",
      properties: {},
      because: [because],
      path: [],
      bus: undefined,
    });
  }
  for (const [index, console] of consoles.entries()) {
    const path = ["consoles", index];
    const number = counts[console.type]++;
    const id = console.id ?? `${console.type}${number}`;
    draft.claimId("device", id, console.id === undefined ? path : [...path, "id"]);
    checkConsole(draft, console, number, path);
    planConsole(draft, console, id, number, path);
  }
  if (agent) planAgent(draft, typeof guestAgent === "object" && guestAgent.online);
}

function planConsole(draft: Draft, console: Console, id: string, number: number, path: JsonPath): void {
  const socket = `${draft.places.qemuDirectory}/${id}.sock`;
  draft.claimId("socket", socket, console.id === undefined ? path : [...path, "id"]);
  const log = console.type === "channel" ? undefined : `${draft.places.qemuDirectory}/${id}.log`;
  const because = draft.decide("consoles", `consoles.${id}`, {
    value: console.type === "channel" ? `channel ${console.name ?? id}` : `${console.type} console`,
    rule: "A socket that one program at a time may use; what the guest writes to a console is logged as well.",
    source: "invocation",
  });
  draft.consoles.push({
    id,
    type: console.type,
    name: console.type === "channel" ? (console.name ?? id) : undefined,
    socket,
    log,
  });
  addSocket(draft, `${id}-chardev`, socket, because, log);
  const chardev = `${id}-chardev`;
  if (console.type === "serial") {
    draft.addLeaf({
      option: "device",
      driver: "isa-serial",
      id,
      properties: { chardev, index: number },
      because: [because],
    });
    return;
  }
  draft.addLeaf({
    option: "device",
    driver: console.type === "virtio" ? "virtconsole" : "virtserialport",
    id,
    properties: {
      bus: "vserial.0",
      chardev,
      name: console.type === "virtio" ? undefined : (console.name ?? id),
    },
    because: [because],
  });
}

function planAgent(draft: Draft, online: boolean): void {
  const socket = `${draft.places.qemuDirectory}/agent.sock`;
  draft.claimId("device", "agent", ["guestAgent"]);
  draft.claimId("socket", socket, ["guestAgent"]);
  const because = draft.decide("consoles", "consoles.agent", {
    value: agentPort,
    rule: "The guest agent answers on this port when the guest runs one.",
    source: "guestAgent",
  });
  draft.consoles.push({
    id: "agent",
    type: "agent",
    name: agentPort,
    socket,
    log: undefined,
    ...(online ? { online } : {}),
  });
  addSocket(draft, "agent-chardev", socket, because);
  draft.addLeaf({
    option: "device",
    driver: "virtserialport",
    id: "agent",
    properties: { bus: "vserial.0", chardev: "agent-chardev", name: agentPort },
    because: [because],
  });
}

/** A listening socket that does not hold up the start. */
export function addSocket(draft: Draft, id: string, path: string, because: string, log?: string): void {
  draft.add({
    option: "chardev",
    backend: "socket",
    id,
    properties: { path, server: true, wait: false, logfile: log, logappend: log ? true : undefined },
    because: [because],
  });
}

function checkConsole(draft: Draft, console: Console, number: number, path: JsonPath): void {
  if (console.name !== undefined && console.type !== "channel") {
    draft.refuse("PROFILE_VALUE", [...path, "name"], {
      found: `a name for a ${console.type} console`,
      needed: "a name for channels only",
      fix: 'leave name out, or write "type": "channel"',
    });
  }
  if (console.type === "channel" && console.name === undefined) {
    draft.refuse("PROFILE_MISSING_KEY", path, {
      found: "a channel without a name",
      needed: "the port's name in the guest",
      fix: 'add a name such as "org.example.agent.0"',
    });
  }
  if (console.type === "serial" && number === serialPorts) {
    draft.refuse("PCIE_BUS_FULL", path, {
      found: `serial port ${number + 1}`,
      needed: `${serialPorts} serial ports at most`,
      fix: "use virtio consoles",
    });
  }
}
