import { aliasOf, type ImportContext } from "./context.ts";
import type { Reading } from "./reading.ts";

type ProfileDraft = ImportContext["profile"];
type Console = NonNullable<ProfileDraft["consoles"]>[number];

/** Serial ports, consoles and channels, in the order of the document. */
export function readConsoles(devices: Reading | undefined, profile: ProfileDraft): void {
  const serials = devices?.all("serial") ?? [];
  const found: { at: Reading; console: Console }[] = [];
  for (const serial of serials) {
    // Whatever libvirt gives it on the host, it is a socket and a log here.
    const kind = serial.one("target")?.attribute("type") ?? "isa-serial";
    if (kind !== "isa-serial") {
      serial.drop(`a serial port of type ${kind}: those of the board alone`);
      continue;
    }
    tellOtherEnd(serial, "qlaunch console and a log");
    const address = serial.one("address");
    if (address?.attribute("iobase") !== undefined || address?.attribute("irq") !== undefined)
      address.drop("ports have the places that the board gives them, one behind the other");
    serial.keep();
    found.push({ at: serial, console: { type: "serial", ...named(serial) } });
  }
  for (const [index, console] of (devices?.all("console") ?? []).entries()) {
    const type = console.one("target")?.attribute("type") ?? "serial";
    if (type !== "virtio" && type !== "serial") {
      console.drop(`a console of type ${type}: virtio, or a serial port of the board`);
      continue;
    }
    // The first console is the first serial port by another name, and makes one where there is none.
    const isSerial = type === "serial" && index === 0 && serials.length === 0;
    if (type === "virtio" || isSerial) {
      tellOtherEnd(console, "qlaunch console and a log");
      found.push({ at: console, console: { type: isSerial ? "serial" : "virtio", ...named(console) } });
    }
    console.keep();
  }
  profile.guestAgent = false;
  for (const channel of devices?.all("channel") ?? []) {
    const name = channel.one("target")?.attribute("name");
    const type = channel.attribute("type");
    if (name === "org.qemu.guest_agent.0") profile.guestAgent = true;
    else if (type === "spicevmc" || type === "qemu-vdagent" || type === "spiceport") {
      channel.drop("SPICE and its agent are not offered");
      continue;
    } else if (name !== undefined) {
      found.push({ at: channel, console: { type: "channel", name, ...named(channel) } });
    } else {
      channel.drop("a channel without a name");
      continue;
    }
    tellOtherEnd(channel, "a socket of the run directory");
    channel.keep();
  }
  profile.consoles = found
    .sort(({ at: { node: a } }, { at: { node: b } }) => a.line - b.line || a.column - b.column)
    .map(({ console }) => console);
  for (const parallel of devices?.all("parallel") ?? []) parallel.drop("no parallel ports");
}

/** Where libvirt has what the guest says go elsewhere than to a terminal or a socket of its own. */
function tellOtherEnd(device: Reading, end: string): void {
  const type = device.attribute("type");
  const source = device.one("source");
  const path = source?.attribute("path");
  const isOwn = path === undefined || /^(\/var\/lib|\/run|\/var\/run)\/libvirt\//.test(path);
  const log = device.one("log");
  if (type === "unix" && (source?.attribute("mode") === "connect" || !isOwn))
    device.replace(`its other end is ${end}, instead of ${path ?? "a socket"}`);
  else if (type !== undefined && type !== "pty" && type !== "unix")
    device.replace(`its other end is ${end}, instead of ${type}`);
  else log?.drop(`${log.attribute("file") ?? "a file"}: its log is in the run directory`);
}

function named(device: Reading): { id?: string } {
  const id = aliasOf(device);
  return id === undefined ? {} : { id };
}
